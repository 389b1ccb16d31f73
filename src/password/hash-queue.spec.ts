import Piscina from 'piscina';
import { parseSettings } from '../config/settings';
import { HashQueue } from './hash-queue';
import { ClientGone, Overloaded } from './hash-queue.errors';
import type { HashTask } from './hash.worker';

const QUICK: HashTask = { name: 'hash', scheme: 'bcrypt', password: 'x', cost: 4 };

/** A promise, and what settles it. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('HashQueue', () => {
  let queue: HashQueue;

  beforeEach(() => {
    // Before it is measured, a hash of cost 12 counts for a quarter of a second.
    queue = new HashQueue(
      parseSettings({ HASH_CONCURRENCY: '2', HASH_QUEUE_SECONDS: '1', BCRYPT_COST: '12' }),
    );
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await queue.onApplicationShutdown();
  });

  it('refuses at once what could not begin in time, and says when to come back', async () => {
    const { open, opened } = gate();
    const inside: Promise<void>[] = [];
    // Two in work, eight whose work of a second is done by two threads.
    for (let i = 0; i < 10; i += 1) inside.push(queue.reserve(undefined, () => opened));
    const work = jest.fn();
    const refused = queue.reserve(undefined, work);
    await expect(refused).rejects.toThrow(Overloaded);
    await expect(refused).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '2' } });
    expect(work).not.toHaveBeenCalled();
    open();
    await Promise.all(inside);
    await expect(queue.reserve(undefined, (run) => run(QUICK))).resolves.toMatch(/^\$2b\$04\$/);
  });

  it('gives a place back, whatever became of the work', async () => {
    for (let i = 0; i < 50; i += 1) {
      await expect(
        queue.reserve(undefined, () => Promise.reject(new Error('work'))),
      ).rejects.toThrow('work');
    }
    expect(queue.waitSeconds).toBe(0);
  });

  it('measures what a hash takes, and takes it for one of its kind only', async () => {
    const { open, opened } = gate();
    const hold = (task: HashTask): Promise<unknown> =>
      queue.reserve(undefined, async (run) => {
        await run(task);
        await opened;
      });
    const held = Array.from({ length: 6 }, () => queue.reserve(undefined, () => opened));
    const guess = queue.waitSeconds;
    for (let i = 0; i < 50; i += 1) await queue.reserve(undefined, (run) => run(QUICK));
    // However many cheap ones there were, the next is expected to be as dear as a new one.
    expect(queue.waitSeconds).toBe(guess);
    const cheap = Array.from({ length: 100 }, () => hold(QUICK));
    await new Promise(setImmediate);
    expect(queue.waitSeconds).toBeLessThan(guess + 0.5);
    open();
    await Promise.all([...held, ...cheap]);
  });

  it('measures nothing by what fails', async () => {
    const { open, opened } = gate();
    jest.spyOn(Piscina.prototype, 'run').mockRejectedValue(new Error('broken'));
    const dear: HashTask = { ...QUICK, cost: 12 };
    for (let i = 0; i < 50; i += 1) {
      await expect(queue.reserve(undefined, (run) => run(dear))).rejects.toThrow('broken');
    }
    const inside = Array.from({ length: 10 }, () => queue.reserve(undefined, () => opened));
    await expect(queue.reserve(undefined, () => opened)).rejects.toThrow(Overloaded);
    open();
    await Promise.all(inside);
  });

  it('has no more hashes in work than threads, and takes them in turn', async () => {
    const began: string[] = [];
    let inWork = 0;
    let most = 0;
    jest.spyOn(Piscina.prototype, 'run').mockImplementation(async (task: HashTask) => {
      began.push(task.password);
      most = Math.max(most, (inWork += 1));
      await new Promise(setImmediate);
      inWork -= 1;
      return 'done';
    });
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(
      names.map((password) => queue.reserve(undefined, (hash) => hash({ ...QUICK, password }))),
    );
    expect(began).toEqual(names);
    expect(most).toBe(2);
  });

  it('hashes for no client that has gone, and breaks off nothing that has begun', async () => {
    const { open, opened } = gate();
    const run = jest.spyOn(Piscina.prototype, 'run').mockImplementation(async () => {
      await opened;
      return 'done';
    });
    const clients = [1, 2, 3, 4].map(() => new AbortController());
    const results = clients.map(({ signal }) => queue.reserve(signal, (hash) => hash(QUICK)));
    const [begun, , third] = clients;
    begun?.abort();
    third?.abort();
    await expect(results[2]).rejects.toThrow(ClientGone);
    open();
    expect(await Promise.all([results[0], results[1], results[3]])).toEqual([
      'done',
      'done',
      'done',
    ]);
    expect(run).toHaveBeenCalledTimes(3);

    const gone = AbortSignal.abort();
    await expect(queue.reserve(gone, (hash) => hash(QUICK))).rejects.toThrow(ClientGone);
    expect(run).toHaveBeenCalledTimes(3);
  });
});
