// What the Node clients share: the sandbox's control, its connection, and a receiver of callbacks.

import http from 'node:http';
import assert from 'node:assert/strict';

export const url = process.env.SANDBOX_URL;

export async function control(path, body) {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

export const connection = async () => (await fetch(`${url}/sandbox/connection`)).json();

let count = 0;
// A number that no other run of any client uses.
export const number = (prefix) => `${prefix}${process.pid}X${Date.now()}X${(count += 1)}`;

// Takes callbacks, answers `word`, and hands them out one by one as { headers, body }.
export async function receiver(word, contentType = 'text/plain') {
  const taken = [];
  let arrived = () => {};
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      taken.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.setHeader('content-type', contentType);
      response.end(word);
      arrived();
    });
  });
  await new Promise(ready => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/callbacks`,
    close: () => server.close(),
    async next() {
      if (taken.length === 0) {
        await new Promise((resolve, reject) => {
          const late = setTimeout(() => reject(new Error('no callback came')), 10_000);
          arrived = () => { clearTimeout(late); resolve(); };
        });
      }
      return taken.shift();
    },
  };
}
