import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestHandler } from 'express';

/**
 * Longest that a request waits for the database, all its statements together, so that its client
 * hears within two seconds that there is none. Hashing is no part of it. What belongs to no request
 * waits so long each time.
 */
export const PATIENCE_MS = 1500;

/** What is left of a request's patience. */
interface Patience {
  leftMs: number;
}

const patience = new AsyncLocalStorage<Patience | undefined>();

/** Gives a request its patience: whatever is done for it, however deep, shares that. */
export const limitDatabaseWait: RequestHandler = (_request, _response, next) => {
  withPatience(next);
};

/** Does something that waits no longer for the database, all in all, than a request does. */
export function withPatience<T>(work: () => T): T {
  return patience.run({ leftMs: PATIENCE_MS }, work);
}

/** Does what is not for this request alone, and does not end with its patience. */
export function regardlessOfRequest(work: () => void): void {
  patience.run(undefined, work);
}

/**
 * Begins to wait for the database.
 *
 * @param giveUp called when there is no patience left
 * @returns what to call when the wait is over
 */
export function beginWaiting(giveUp: () => void): () => void {
  const mine = patience.getStore();
  const began = performance.now();
  let over = false;
  const timer = setTimeout(
    () => {
      // What has arrived while this process was busy is read first: an answer, perhaps.
      setImmediate(() => {
        if (!over) giveUp();
      });
    },
    Math.max(0, mine?.leftMs ?? PATIENCE_MS),
  );
  return () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    if (mine !== undefined) mine.leftMs -= performance.now() - began;
  };
}
