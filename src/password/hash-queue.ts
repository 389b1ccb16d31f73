import { EventEmitter } from 'node:events';
import { availableParallelism } from 'node:os';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import Piscina from 'piscina';
import { Settings } from '../config/settings';
import { StartError } from '../config/start-error';
import { ARGON2ID, type HashFormat, parseHash } from './hash-format';
import { Overloaded, ClientGone } from './hash-queue.errors';
import type { HashTask, HashWorkerData } from './hash.worker';

/**
 * Threads that hash yield to the one that answers everyone else; not so much that whoever keeps
 * that one busy, with requests that are refused, say, stops them.
 */
const NICENESS = 5;
/** Weight of the latest duration in their running mean. */
const SMOOTHING = 0.1;
/** What bcrypt of cost 12 takes, until it has been measured. */
const BCRYPT_12_SECONDS = 0.25;
/** What argon2id takes for each kibibyte and pass, until it has been measured. */
const ARGON2ID_SECONDS = 3e-7;

/** A place in the queue, for hashes one after the other. */
interface Place {
  /** What the hash that it waits for, or that is being done, is expected to take. */
  seconds: number;
}

/** Cost of new argon2id hashes, as `HashFormat` has it. */
const ARGON2ID_COST = ARGON2ID.memoryCost * ARGON2ID.timeCost;

/** Work that waits for a thread. */
interface Waiting {
  readonly task: HashTask;
  /** Since when, as `performance.now()` has it. */
  readonly since: number;
  readonly resolve: (result: Promise<string | boolean>) => void;
}

/** A hash that was made or verified, and its times in seconds. */
interface HashDone {
  readonly scheme: HashFormat['scheme'];
  readonly waited: number;
  readonly took: number;
}

/** What a queue tells of, to whoever wants to know. */
interface HashQueueEvents {
  readonly done: [HashDone];
  /** Somebody was told to come again, as there was too much to do. */
  readonly refused: [];
}

/**
 * The threads that hash, and the queue before them: as many hashes at once as there are threads,
 * and no more waiting than can be done in `HASH_QUEUE_SECONDS`. What is beyond that is refused
 * before anything is done for it, while its client can still use the refusal. What a place will take
 * is what such hashes have taken before; until the account is known, what a new hash takes.
 */
@Injectable()
export class HashQueue implements OnApplicationShutdown {
  readonly events = new EventEmitter<HashQueueEvents>();
  /** Most hashes at once. */
  readonly threads: number;
  private readonly logger = new Logger(HashQueue.name);
  private readonly workerData: HashWorkerData;
  private readonly hasArgon2: boolean;
  private pool: Piscina<HashTask, string | boolean> | undefined;
  private readonly waiting: Waiting[] = [];
  private readonly places = new Set<Place>();
  /** Mean duration of each kind of task in seconds: a cheap one says nothing of a dear one. */
  private readonly means = new Map<string, number>();
  private running = 0;

  constructor(private readonly settings: Settings) {
    this.threads = settings.HASH_CONCURRENCY || availableParallelism();
    this.workerData = { native: settings.PASSWORD_NATIVE && isLoadable('bcrypt') };
    this.hasArgon2 = isLoadable('@node-rs/argon2');
    if (settings.PASSWORD_SCHEME === 'argon2id' && !this.hasArgon2) {
      throw new StartError(
        'PASSWORD_SCHEME=argon2id needs @node-rs/argon2, which has no binary for this platform: set it to bcrypt',
      );
    }
  }

  /**
   * Starts all threads, so that the first who log in do not wait for them. Else each starts when it is
   * needed: a process that ends while one starts, as a command may, is aborted.
   */
  start(): void {
    this.pool = this.newPool(this.threads);
    const backend = this.workerData.native ? 'native code' : 'JavaScript';
    this.logger.log(`Passwords: bcrypt is ${backend}, on ${String(this.threads)} threads`);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool?.close();
  }

  private newPool(minThreads: number): Piscina<HashTask, string | boolean> {
    const pool = new Piscina<HashTask, string | boolean>({
      filename: require.resolve('./hash.worker.js'),
      workerData: this.workerData,
      minThreads,
      maxThreads: this.threads,
      niceIncrement: NICENESS,
    });
    // A thread that breaks while it does nothing is replaced; a task that it had says so itself.
    pool.on('error', (error: Error) => {
      this.logger.error(`A hashing thread broke: ${error.message}`);
    });
    return pool;
  }

  /** Whether passwords can be verified against hashes of this scheme here. */
  supports(scheme: HashFormat['scheme']): boolean {
    return scheme !== 'argon2id' || this.hasArgon2;
  }

  /** Hashes that are being done. */
  get busy(): number {
    return this.running;
  }

  /** Hashes that wait for a thread. */
  get length(): number {
    return this.waiting.length;
  }

  /** Seconds until a hash that came now would begin. */
  get waitSeconds(): number {
    const ahead = [...this.places].reduce((sum, { seconds }) => sum + seconds, 0);
    const own = this.newHashSeconds;
    return Math.max(0, (ahead + own) / this.threads - own);
  }

  /** What a hash takes of which nothing is known yet: what a new one takes. */
  private get newHashSeconds(): number {
    const { PASSWORD_SCHEME: scheme, BCRYPT_COST: bcryptCost } = this.settings;
    const cost = scheme === 'argon2id' ? ARGON2ID_COST : bcryptCost;
    return this.expectedSeconds({ scheme, cost });
  }

  private expectedSeconds(kind: Kind): number {
    const { scheme, cost } = kind;
    return (
      this.means.get(keyOf(kind)) ??
      (scheme === 'argon2id' ? cost * ARGON2ID_SECONDS : BCRYPT_12_SECONDS * 2 ** (cost - 12))
    );
  }

  /** @throws Overloaded when there is more waiting already than can be done in time */
  refuseIfFull(): void {
    const wait = this.waitSeconds;
    if (wait <= this.settings.HASH_QUEUE_SECONDS) return;
    this.events.emit('refused');
    throw new Overloaded(wait);
  }

  /**
   * Runs some work that will need hashes, with a place in the queue for them, one after the other.
   *
   * @param client aborted when nobody waits for the answer any more
   * @throws Overloaded when there is more waiting already than can be done in time
   * @throws ClientGone when the client has gone before its hash began
   */
  async reserve<T>(
    client: AbortSignal | undefined,
    work: (hash: RunHash) => Promise<T>,
  ): Promise<T> {
    this.refuseIfFull();
    const place: Place = { seconds: this.newHashSeconds };
    this.places.add(place);
    try {
      return await work((task) => {
        place.seconds = this.expectedSeconds(kindOf(task));
        return this.run(task, client);
      });
    } finally {
      this.places.delete(place);
    }
  }

  private run(task: HashTask, client: AbortSignal | undefined): Promise<string | boolean> {
    return new Promise((resolve, reject) => {
      if (client?.aborted === true) {
        reject(new ClientGone());
        return;
      }
      const place: Waiting = {
        task,
        since: performance.now(),
        resolve: (result) => {
          client?.removeEventListener('abort', leave);
          resolve(result);
        },
      };
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(place), 1);
        reject(new ClientGone());
      };
      client?.addEventListener('abort', leave, { once: true });
      this.waiting.push(place);
      this.next();
    });
  }

  private next(): void {
    while (this.running < this.threads) {
      const place = this.waiting.shift();
      if (place === undefined) return;
      this.running += 1;
      const began = performance.now();
      this.pool ??= this.newPool(0);
      place.resolve(
        this.pool
          .run(place.task)
          .then((result) => {
            const kind = kindOf(place.task);
            const took = (performance.now() - began) / 1000;
            this.measured(kind, took);
            this.events.emit('done', {
              scheme: kind.scheme,
              waited: (began - place.since) / 1000,
              took,
            });
            return result;
          })
          .finally(() => {
            this.running -= 1;
            this.next();
          }),
      );
    }
  }

  private measured(kind: Kind, seconds: number): void {
    const mean = this.expectedSeconds(kind);
    this.means.set(keyOf(kind), mean + SMOOTHING * (seconds - mean));
  }
}

/** What decides how long a task takes. */
type Kind = Pick<HashFormat, 'scheme' | 'cost'>;

function kindOf(task: HashTask): Kind {
  if (task.name === 'hash') {
    return task.scheme === 'argon2id' ? { scheme: task.scheme, cost: ARGON2ID_COST } : task;
  }
  const format = parseHash(task.hash);
  if (format === undefined) throw new Error('Nothing is verified against what is no hash');
  return format;
}

function keyOf({ scheme, cost }: Kind): string {
  return `${scheme === 'argon2id' ? scheme : 'bcrypt'} ${String(cost)}`;
}

/** Hashes or verifies, when it is its turn. */
export type RunHash = (task: HashTask) => Promise<string | boolean>;

/** Whether a package of native code has a binary for this platform. */
function isLoadable(name: string): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loading it is the only way to know
    require(name);
    return true;
  } catch {
    return false;
  }
}
