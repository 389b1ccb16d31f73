import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/**
 * How long a connection is kept open on which nothing happens: longer than proxies do (nginx 60 s),
 * so that it is them who close it. A request that meets a closing connection on its way is lost,
 * and a POST must not be sent again.
 */
export const KEEP_ALIVE_MS = 75_000;

/** Between two looks for connections that have nothing more to do. */
const POLL_MS = 50;

/** What is under way when everything else is closed has this long to end. */
const GRACE_MS = 5000;

/** Answers that are on their way. */
const answering = new Set<ServerResponse>();

/** Makes a server one whose answers `stopServing` can see. */
export function trackAnswers(server: Server): void {
  server.on('request', (_request, response) => {
    answering.add(response);
    response.once('close', () => answering.delete(response));
  });
}

/**
 * Ends a server so that a proxy before it, with others to ask, loses no request. No connection is
 * taken any more: a proxy may always go elsewhere with a request that it could not even send. On
 * those that are there, everything is still answered, each answer being the last of its connection,
 * until the proxy has closed those that it has no use for.
 *
 * @param drainMs how long to wait for that: longer than the proxy keeps an idle connection
 * @returns when the last connection is closed
 */
export async function stopServing(server: Server, drainMs: number): Promise<void> {
  await quietMoment();
  const closed = new Promise((resolve) => {
    // That of http closes idle connections too, on which a request may be on its way.
    NetServer.prototype.close.call(server, resolve);
  });
  // Not before: a proxy that has connections makes hardly any new ones.
  const makeLast = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  answering.forEach(makeLast);
  server.prependListener('request', (_request, response) => {
    makeLast(response);
  });
  const began = performance.now();
  const idle = setInterval(() => {
    if (performance.now() - began >= drainMs) server.closeIdleConnections();
  }, POLL_MS);
  const overdue = setTimeout(() => {
    server.closeAllConnections();
  }, drainMs + GRACE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(overdue);
}

/**
 * Linux resets connections that wait to be accepted when nobody listens any more. The event loop
 * accepts all of them in every turn, so that none waits just after a turn in which nothing else
 * was to be done.
 */
async function quietMoment(): Promise<void> {
  for (let turns = 0; turns < 1000; turns += 1) {
    const began = performance.now();
    await turn();
    if (performance.now() - began < 0.1) return;
  }
}
