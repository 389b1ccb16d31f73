import type { Server } from 'node:http';
import { setImmediate as afterPoll, setTimeout as delay } from 'node:timers/promises';

/**
 * How long a connection is kept open on which nothing happens: longer than proxies do (nginx 60 s),
 * so that it is them who close it. A request that meets a closing connection on its way is lost,
 * and a POST must not be sent again.
 */
export const KEEP_ALIVE_MS = 75_000;

/** What is under way when nothing new is taken any more has this long to end. */
const GRACE_MS = 5000;

/**
 * Ends a server so that a proxy before it loses no request: for a while, everything is still
 * answered, each answer being the last of its connection; then nothing new is taken, and what is
 * under way ends. Connections on which nothing happens do not hold it up.
 *
 * @param drainMs longer than the proxy keeps an idle connection, which it may use until then
 * @returns when the last connection is closed
 */
export async function stopServing(server: Server, drainMs: number): Promise<void> {
  if (drainMs > 0 && server.listening) {
    server.prependListener('request', (_request, response) => {
      response.setHeader('Connection', 'close');
    });
    await delay(drainMs);
    // Just after the event loop has accepted what waited: Linux resets what still waits to be
    // accepted when nobody listens any more.
    await afterPoll();
  }
  const overdue = setTimeout(() => {
    server.closeAllConnections();
  }, GRACE_MS);
  // One that never listened says so, and is as good as closed.
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(overdue);
}
