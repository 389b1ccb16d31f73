import { statusWith } from './client';
import { type RunningService, waitUntil, waitUntilReady } from './service';

/** What is promised, and what a machine may take that does ten other things. */
export const SOON_MS = 2000 + 1500;

export const UNAVAILABLE = '지금은 서비스를 이용할 수 없습니다. 잠시 후 다시 시도하세요.';

/** Some requests. */
export type Requests = readonly (readonly [path: string, init: RequestInit])[];

/** An answer, read to its end, and how long it took. */
export interface Answer {
  readonly path: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: unknown;
  readonly ms: number;
}

/** Sends a request of which no answer but JSON may come. */
export async function ask(
  service: RunningService,
  path: string,
  init: RequestInit,
): Promise<Answer> {
  const began = performance.now();
  const response = await service.fetch(path, init);
  const text = await response.text();
  return {
    path,
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: text === '' ? undefined : JSON.parse(text),
    ms: performance.now() - began,
  };
}

/** Sends all of them at once: each hears in time that the service is unavailable. */
export async function expectUnavailable(
  service: RunningService,
  requests: Requests,
): Promise<void> {
  const answers = await Promise.all(requests.map(([path, init]) => ask(service, path, init)));
  for (const { path, status, retryAfter, body, ms } of answers) {
    expect([path, status, retryAfter, body]).toEqual([path, 503, '1', { detail: UNAVAILABLE }]);
    expect(ms).toBeLessThan(SOON_MS);
  }
  const live = await ask(service, '/health/live', {});
  expect(live.status).toBe(200);
  expect(live.ms).toBeLessThan(SOON_MS);
}

/** Asks until it answers as it should, which has to be soon. */
export async function expectRightAgain(service: RunningService, token: string): Promise<void> {
  const began = performance.now();
  await waitUntil(async () => (await statusWith(service, token)) === 200, service.output);
  await waitUntilReady(service);
  expect(performance.now() - began).toBeLessThan(SOON_MS);
}

/** So many of something. */
export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_none, i) => make(i));
}
