#!/bin/sh
# The providers' own SDKs as clients of the sandbox, for every product that they support. They verify
# every answer and every callback; any failure is a non-zero exit.
#
#   tests/sdk/run.sh                        starts `payhub sandbox` itself
#   SANDBOX_URL=http://127.0.0.1:9010 …     uses one that runs already
#
# Needs python3 with venv, node and npm, and their package registries.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
sandbox=
clean() {
    if [ -n "$sandbox" ]; then kill "$sandbox" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap clean EXIT INT TERM

if [ -z "${SANDBOX_URL:-}" ]; then
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    SANDBOX_URL="http://127.0.0.1:$port"
    (cd "$here/../.." && cargo build --quiet --bin payhub)
    bin=${CARGO_TARGET_DIR:-$here/../../target}/debug/payhub
    # It prints keys for a configuration, which nobody needs here.
    "$bin" sandbox --listen "127.0.0.1:$port" >/dev/null 2>&1 &
    sandbox=$!
fi
export SANDBOX_URL
export TZ=Asia/Shanghai # the Alipay SDK writes its timestamp in the machine's zone

python3 - <<'PY'
import os, sys, time, urllib.request
for _ in range(100):
    try:
        urllib.request.urlopen(os.environ["SANDBOX_URL"] + "/sandbox/state", timeout=2).read()
        sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit("the sandbox does not answer at " + os.environ["SANDBOX_URL"])
PY

# 75: the packages cannot be had, which says nothing about the sandbox.
unreachable() {
    echo "sdk: $1 cannot be installed: $(tail -1 "$work/log")" >&2
    exit 75
}
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wechatpayv3==2.0.4 \
    python-alipay-sdk==3.4.0 alibabacloud_dysmsapi20170525==4.6.0 >"$work/log" 2>&1 ||
    unreachable 'the packages of PyPI'
npm install --silent --no-audit --no-fund --prefix "$work" alipay-sdk@4.14.0 \
    wechatpay-axios-plugin@0.9.6 tenpay@2.1.18 >"$work/log" 2>&1 ||
    unreachable 'the packages of npm'

"$work/venv/bin/python" "$here/wechat.py"
"$work/venv/bin/python" "$here/sms.py"
"$work/venv/bin/python" "$here/python_alipay.py"
cp "$here"/*.mjs "$work/" # module resolution starts where the file is
for client in alipay axios-plugin tenpay; do
    node "$work/$client.mjs"
done
echo "all SDKs agree with the sandbox"
