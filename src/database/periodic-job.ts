import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { reasonOf } from '../logging/safe-error';
import type { DatabaseService } from './database.service';

/** Between a run that failed and the next. */
const RETRY_MS = 5000;

/**
 * Work in the background, again and again from when the database has been reached until the service
 * stops. A run that fails is told of, and comes again soon.
 */
export abstract class PeriodicJob
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  protected readonly logger = new Logger(this.constructor.name);
  private readonly stopping = new AbortController();
  /** Aborted when the next run is to begin at once. */
  private pause = new AbortController();
  private running: Promise<void> = Promise.resolve();

  /** @param intervalMs between the end of one run and the next */
  protected constructor(
    private readonly database: DatabaseService,
    private readonly intervalMs: number,
  ) {}

  /** Does it once. @param signal aborted when the service stops */
  abstract run(signal: AbortSignal): Promise<void>;

  onApplicationBootstrap(): void {
    this.running = this.runAgainAndAgain();
  }

  beforeApplicationShutdown(): void | Promise<void> {
    this.stopping.abort();
    this.wake();
  }

  /** Once no hook is left to wait for the database. */
  async onApplicationShutdown(): Promise<void> {
    await this.running;
  }

  /** Has the next run begin now, or as soon as the one that is under way has ended. */
  protected wake(): void {
    this.pause.abort();
  }

  private async runAgainAndAgain(): Promise<void> {
    const { signal } = this.stopping;
    await this.database.connected;
    while (!signal.aborted) {
      this.pause = new AbortController();
      const interval = await this.run(signal).then(
        () => this.intervalMs,
        (error: unknown) => {
          this.logger.warn(`Failed, and will be tried again (${reasonOf(error)})`);
          return RETRY_MS;
        },
      );
      const pause = { signal: this.pause.signal, ref: false };
      await delay(interval, undefined, pause).catch(() => undefined);
    }
  }
}
