import { availableParallelism } from 'node:os';
import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import Piscina from 'piscina';
import { Settings } from '../config/settings';
import { StartError } from '../config/start-error';
import type { HashFormat } from './hash-format';
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
const GUESS_SECONDS = 0.25;

/** Work that waits for a thread. */
interface Waiting {
  readonly task: HashTask;
  readonly resolve: (result: Promise<string | boolean>) => void;
}

/**
 * The threads that hash, and the queue before them: as many hashes at once as there are threads,
 * and no more waiting than can be done in `HASH_QUEUE_SECONDS`. What is beyond that is refused
 * before anything is done for it, while its client can still use the refusal.
 */
@Injectable()
export class HashQueue implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(HashQueue.name);
  private readonly backend: string;
  private readonly hasArgon2: boolean;
  private readonly threads: number;
  private readonly pool: Piscina<HashTask, string | boolean>;
  private readonly waiting: Waiting[] = [];
  private running = 0;
  private reserved = 0;
  private meanSeconds: number;

  constructor(private readonly settings: Settings) {
    this.threads = settings.HASH_CONCURRENCY || availableParallelism();
    this.meanSeconds = GUESS_SECONDS * 2 ** (settings.BCRYPT_COST - 12);
    const workerData: HashWorkerData = {
      native: settings.PASSWORD_NATIVE && isLoadable('@node-rs/bcrypt'),
    };
    this.hasArgon2 = isLoadable('@node-rs/argon2');
    if (settings.PASSWORD_SCHEME === 'argon2id' && !this.hasArgon2) {
      throw new StartError(
        'PASSWORD_SCHEME=argon2id needs @node-rs/argon2, which has no binary for this platform: set it to bcrypt',
      );
    }
    this.backend = workerData.native ? 'native code' : 'JavaScript';
    this.pool = new Piscina({
      filename: require.resolve('./hash.worker.js'),
      workerData,
      minThreads: this.threads,
      maxThreads: this.threads,
      niceIncrement: NICENESS,
    });
    // A thread that breaks while it does nothing is replaced; a task that it had says so itself.
    this.pool.on('error', (error: Error) => {
      this.logger.error(`A hashing thread broke: ${error.message}`);
    });
  }

  onApplicationBootstrap(): void {
    this.logger.log(`Passwords: bcrypt is ${this.backend}, on ${String(this.threads)} threads`);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
  }

  /** Whether passwords can be verified against hashes of this scheme here. */
  supports(scheme: HashFormat['scheme']): boolean {
    return scheme !== 'argon2id' || this.hasArgon2;
  }

  /** Seconds until a hash that came now would begin. */
  get waitSeconds(): number {
    return (Math.max(0, this.reserved + 1 - this.threads) * this.meanSeconds) / this.threads;
  }

  /** @throws Overloaded when there is more waiting already than can be done in time */
  refuseIfFull(): void {
    const wait = this.waitSeconds;
    if (wait > this.settings.HASH_QUEUE_SECONDS) throw new Overloaded(wait);
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
    this.reserved += 1;
    try {
      return await work((task) => this.run(task, client));
    } finally {
      this.reserved -= 1;
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
      place.resolve(
        this.pool.run(place.task).finally(() => {
          this.running -= 1;
          const seconds = (performance.now() - began) / 1000;
          this.meanSeconds += SMOOTHING * (seconds - this.meanSeconds);
          this.next();
        }),
      );
    }
  }
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
