#!/usr/bin/env node
// A plain reverse proxy in Node, to stand beside the gateway: PEERS=tools/bench/peers/node_proxy.mjs tools/bench.sh
//
//   node_proxy.mjs UPSTREAM PORT
//
// POST /v1/<path> goes to UPSTREAM/<path>, bytes as they come, over kept-alive connections. It does none of a gateway's work.
import http from 'node:http';

const upstream = new URL(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4096, noDelay: true });

const server = http.createServer((request, response) => {
  const headers = { ...request.headers, host: upstream.host };
  delete headers.connection;
  const path = upstream.pathname + request.url.replace(/^\/v1/, '');
  const asked = http.request({ host: upstream.hostname, port: upstream.port, method: request.method, path, headers, agent }, (answer) => {
    const answered = { ...answer.headers };
    delete answered.connection;
    response.writeHead(answer.statusCode, answered);
    answer.pipe(response);
  });
  asked.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  response.on('close', () => asked.destroy());
  request.pipe(asked);
});
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[3]), '127.0.0.1');
