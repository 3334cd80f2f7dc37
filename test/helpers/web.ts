/** Servers of the loopback for the http probe, and the probe pointed at them. */
import { createServer, type RequestListener } from 'node:http';
import http from '../../probes/types/http.ts';
import { keptServers, listening, probeContext, type TestServer } from './probing.ts';

export type WebServer = TestServer & { url: string };

/** Servers that are closed after each test of the file. */
export function webServers() {
  const keepOpen = keptServers();
  const keep = async (starting: Promise<TestServer>, scheme = 'http'): Promise<WebServer> => {
    const server = await keepOpen(starting);
    return { ...server, url: `${scheme}://127.0.0.1:${server.port}/` };
  };
  return { keep, serve: (answer: RequestListener) => keep(listening(createServer(answer))) };
}

/** Runs the probe once with options as they stand in the file. */
export function probe(params: Record<string, unknown>, changes: Parameters<typeof probeContext>[0] = {}) {
  return http.run(http.schema.parse(params), probeContext(changes));
}

/** The same with secrets filled in, as an agent does, after the schema has seen their names. */
export function probeWith(secrets: Record<string, string>, params: Record<string, unknown>) {
  const parsed = JSON.stringify(http.schema.parse(params));
  const filled = parsed.replaceAll(/\$\{secret:(\w+)\}/g, (_, name: string) => JSON.stringify(secrets[name] ?? '').slice(1, -1));
  return http.run(JSON.parse(filled), probeContext({ secrets: Object.values(secrets) }));
}
