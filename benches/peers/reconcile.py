"""One day's bill of WeChat Pay against a ledger, as files: `payhub reconcile` beside DuckDB.

The files are made here, with 4 in 1,000 rows that differ: missing on either side, another amount,
another state, another charge, listed twice. The hub reads every column, holds the rows against the
footer, checks states and charges, hashes both files and writes its lists, summary, page and
workbook; DuckDB reads five columns of either file, joins and writes what differs as CSV. Every
number is a process of its own: wall time, processor time, and the most memory that was resident.
"""

import os
import statistics
import sys
import time

NAMES = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def yuan(fen):
    return f"{fen // 100}.{fen % 100:02d}"


def make(folder, rows):
    """Writes bill.csv and ledger.csv; how many differences of each kind there are."""
    planted = dict.fromkeys(
        ["only_in_hub", "only_in_bill", "duplicate_in_bill", "amount_differs", "state_differs", "fee_differs"], 0
    )
    kinds = list(planted)
    sums = [0] * 6
    bill = open(f"{folder}/bill.csv", "w", newline="", buffering=1 << 20)
    ledger = open(f"{folder}/ledger.csv", "w", newline="", buffering=1 << 20)
    bill.write("\ufeff" + NAMES + "\r\n")
    ledger.write("kind,out_trade_no,out_refund_no,provider_trade_no,amount_fen,state,occurred_at\n")
    # The bill is in the order of time, the ledger in one of its own.
    step = next(step for step in (7919, 7907, 7901) if rows % step)
    count = 0
    for n in range(rows):
        planting = kinds[n // 250 % 6] if n % 250 == 125 else None
        amount = 1000 + n * 37 % 90000
        second = 700 + n * 85000 // rows
        at = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        refund = n % 20 == 7
        fee = (amount * 6 + 500) // 1000
        if planting:
            planted[planting] += 1
        if planting == "fee_differs":
            fee += 5
        if planting == "only_in_hub":
            continue
        if refund:
            money = (0, amount, 0, -fee, 0, amount)
            fields = f"REFUND`OTHERS`CNY`0.00`0.00`5030{n:024d}`R{n:026d}`{yuan(amount)}`0.00`ORIGINAL`SUCCESS`不动产登记费``-{yuan(fee)}000`0.60%`0.00`{yuan(amount)}`"
        else:
            money = (amount, 0, 0, fee, amount, 0)
            fields = f"SUCCESS`OTHERS`CNY`{yuan(amount)}`0.00`0`0`0.00`0.00```不动产登记费``{yuan(fee)}000`0.60%`{yuan(amount)}`0.00`"
        line = (
            f"`2018-11-30 {at},`wx8888888888888888,`1900000001,`0,`,`4200{n:024d},`P{n:026d},`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`"
            + fields.replace("`", ",`")
            + "\r\n"
        )
        for _ in range(2 if planting == "duplicate_in_bill" else 1):
            bill.write(line)
            count += 1
            sums = [one + more for one, more in zip(sums, money)]
    bill.write(TOTALS + "\r\n")
    settled, refunded, coupons, fees, orders, asked = map(yuan, sums)
    bill.write(f"`{count},`{settled},`{refunded},`{coupons},`{fees}000,`{orders},`{asked}\r\n")
    for at in range(rows):
        n = at * step % rows
        planting = kinds[n // 250 % 6] if n % 250 == 125 else None
        if planting == "only_in_bill":
            continue
        amount = 1000 + n * 37 % 90000 + (1 if planting == "amount_differs" else 0)
        second = 700 + n * 85000 // rows
        at = f"2018-11-30T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}+08:00"
        refund = n % 20 == 7
        state = ("succeeded" if refund else "paid") if planting != "state_differs" else ("failed" if refund else "closed")
        ledger.write(
            f"{'refund' if refund else 'payment'},P{n:026d},{f'R{n:026d}' if refund else ''},4200{n:024d},{amount},{state},{at}\n"
        )
    bill.close()
    ledger.close()
    return planted


DUCKDB = """
import sys, duckdb
folder = sys.argv[1]
duckdb.sql(f'''
COPY (
  WITH bill AS (
    SELECT CASE WHEN column09 = '`REFUND' THEN ltrim(column15, '`') ELSE ltrim(column06, '`') END AS number, column09 AS state,
           CAST(CAST(ltrim(CASE WHEN column09 = '`REFUND' THEN column25 ELSE column24 END, '`') AS DECIMAL(18, 2)) * 100 AS BIGINT) AS fen
    FROM read_csv('{folder}/bill.csv', header = false, skip = 1, delim = ',', quote = '', escape = '', new_line = '\\\\r\\\\n',
                  all_varchar = true, auto_detect = false, ignore_errors = true, columns = {{{columns}}})),
  ledger AS (
    SELECT CASE WHEN kind = 'refund' THEN out_refund_no ELSE out_trade_no END AS number, state, amount_fen AS fen
    FROM read_csv('{folder}/ledger.csv', header = true))
  SELECT b.number, l.number, b.fen, l.fen, b.state, l.state
  FROM bill b FULL OUTER JOIN ledger l ON b.number = l.number
  WHERE b.number IS NULL OR l.number IS NULL OR b.fen <> l.fen
     OR l.state <> CASE WHEN b.state = '`REFUND' THEN 'succeeded' ELSE 'paid' END
) TO '{folder}/duckdb.csv' (HEADER)''')
""".replace("{columns}", ", ".join(f"'column{n:02d}': 'VARCHAR'" for n in range(27)))


def measured(arguments, good=(0,)):
    """Wall seconds, processor seconds and megabytes of a process."""
    began = time.monotonic()
    # Nothing of this process is in the child's count: it is another program from the start.
    child = os.posix_spawnp(arguments[0], arguments, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, used = os.wait4(child, 0)
    wall = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) not in good:
        sys.exit(f"{arguments[0]} ended with {status}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    folder, payhub = sys.argv[1], sys.argv[2]
    given = dict(argument.split("=") for argument in sys.argv[3:])
    rows, rounds = int(given.get("rows", 1_000_000)), int(given.get("rounds", 3))
    print("| rows a side | | seconds | CPU seconds | peak MB |\n|---|---|---|---|---|")
    for size in given.get("sizes", "1,2,5").split(","):
        planted = make(folder, rows * int(size))
        out = f"{folder}/out"
        files = ["--bill", f"{folder}/bill.csv", "--ledger", f"{folder}/ledger.csv", "--out", out]
        both = {
            "payhub": ([payhub, "reconcile", *files], (1,)),
            "DuckDB": ([sys.executable, "-c", DUCKDB, folder], (0,)),
        }
        # In turn, so that both meet the machine alike; the first round warms the files.
        runs = {name: [] for name in both}
        for _ in range(rounds + 1):
            for name, (arguments, good) in both.items():
                runs[name].append(measured(arguments, good))
        for name, all_of_it in runs.items():
            middle = [statistics.median(run[part] for run in all_of_it[1:]) for part in range(3)]
            print(f"| {rows * int(size):,} | {name} | {middle[0]:.2f} | {middle[1]:.2f} | {middle[2]:.0f} |", flush=True)
        found = dict.fromkeys(planted, 0)
        with open(f"{out}/differences.csv") as differences:
            for line in list(differences)[1:]:
                found[line.split(",")[0]] += 1
        if found != planted:
            sys.exit(f"planted {planted}, found {found}")
        with open(f"{folder}/duckdb.csv") as differences:
            print(f"planted {sum(planted.values())}, payhub found all of them; rows of DuckDB: {len(list(differences)) - 1}", file=sys.stderr)


main()
