"""Writes what the targets start from into a folder a target: the project's own vectors and bills."""
import json, pathlib, sys

root = pathlib.Path(__file__).resolve().parent.parent
out = pathlib.Path(sys.argv[1])


def seed(target, name, data):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


for provider in ("wechat", "alipay"):
    vectors = json.loads((root / f"fixtures/vectors/{provider}.json").read_text())
    for number, notice in enumerate(vectors["notices"]):
        body = notice["body"].encode()
        for way in range(4):
            seed("notices", f"{provider}{number}{way}", bytes([way]) + body)
        plain = notice.get("plaintext")
        if plain is not None:
            text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
            seed("notices", f"{provider}{number}plain", b"\x02" + text.encode())
    for number, answer in enumerate(vectors["answers"]):
        body = answer["body"].encode()
        for way in (0, 3, 8, 16, 24, 32):
            seed("answers", f"{provider}{number}{way}", bytes([way]) + body)
for bill in (root / "fixtures/reconciliation").glob("*/bill.*"):
    seed("bills", bill.parent.name + bill.suffix, bill.read_bytes())
