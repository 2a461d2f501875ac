// The dispatch's peer: graphile-worker with a task that does nothing. One process hands out what to do over HTTP:
// POST /run works until the queue is empty and answers how long that took. Run by benches/run in the folder of its
// packages; PROCESSES of them share the queue, each with CONCURRENT jobs at once, LOCAL jobs fetched at once (-1: one
// by one) and completions that wait DELAY ms for each other (-1: not at all).
import cluster from "node:cluster";
import { createServer } from "node:http";
import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
// As its own measurements have it.
process.env.NO_LOG_SUCCESS = "1";
const { Logger, runMigrations, runOnce, WorkerPreset } = require("graphile-worker");

const { PORT, PGHOST, PGUSER, PGDATABASE } = process.env;
const [processes, concurrentJobs, local, delay] = ["PROCESSES", "CONCURRENT", "LOCAL", "DELAY"].map((name) =>
  Number(process.env[name]),
);
const connectionString = `postgres:///${PGDATABASE}?host=${encodeURIComponent(PGHOST)}&user=${PGUSER}`;
const silent = new Logger(() => () => {});
const preset = {
  extends: [WorkerPreset],
  worker: {
    connectionString, concurrentJobs, maxPoolSize: concurrentJobs + 1, logger: silent,
    ...(local > 0 ? { localQueue: { size: local, refetchDelay: { durationMs: 10 } } } : {}),
    completeJobBatchDelay: delay, failJobBatchDelay: delay,
  },
};
let done = 0;
const taskList = { nothing: async () => { done += 1; } };

if (cluster.isPrimary) lead();
else process.on("message", async () => {
  done = 0;
  await runOnce({ preset, taskList, noHandleSignals: true });
  process.send(done);
});

async function lead() {
  await runMigrations({ connectionString, logger: silent });
  const workers = Array.from({ length: processes }, () => cluster.fork());
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("online", resolve))));
  const server = createServer(async (request, reply) => {
    if (request.url !== "/run") return reply.end("ok");
    const begun = process.hrtime.bigint();
    const all = workers.map((worker) => new Promise((resolve) => {
      worker.once("message", resolve);
      worker.send("run");
    }));
    const jobs = (await Promise.all(all)).reduce((sum, some) => sum + some, 0);
    reply.end(JSON.stringify({ jobs, seconds: Number(process.hrtime.bigint() - begun) / 1e9 }));
  });
  server.listen(Number(PORT), "127.0.0.1");
  process.on("SIGTERM", () => {
    for (const worker of workers) worker.kill("SIGKILL");
    process.exit(0);
  });
}
