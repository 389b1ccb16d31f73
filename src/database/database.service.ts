import { setTimeout as delay } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { reasonOf } from '../logging/safe-error';
import { Settings } from '../config/settings';
import { ServiceDataSource } from './data-source';

const RECONNECT_MS = 500;
/** Longest that the service waits for its database before it listens. */
const FIRST_ATTEMPT_MS = 2000;

/** Connects the service to its database, and knows whether it can be worked with. */
@Injectable()
export class DatabaseService
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly logger = new Logger(DatabaseService.name);
  private readonly stopping = new AbortController();
  /** Settled once the database has been reached for the first time, or the service stops. */
  readonly connected: Promise<void>;
  private settle = (): void => undefined;
  private connecting: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: ServiceDataSource,
    private readonly settings: Settings,
  ) {
    this.connected = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /**
   * The embedded database is connected and migrated before the service listens. Another one, which
   * somebody else migrates, is connected when it can be reached: before the service listens if that is
   * soon, so that a proxy that has others to ask sends nobody to one that cannot serve yet. A command
   * comes with one that is connected, and migrates nothing.
   */
  async onApplicationBootstrap(): Promise<void> {
    if (this.dataSource.isInitialized) {
      this.settle();
    } else if (this.settings.embedded) {
      await this.dataSource.initialize();
      await this.dataSource.runMigrations();
      this.settle();
    } else {
      const tried = this.connect();
      this.connecting = tried.catch((error: unknown) => {
        // Said once: the readiness check keeps saying it to whoever asks.
        this.logger.warn(`The database cannot be reached (${reasonOf(error)}); trying on`);
        return this.connectUntilReached();
      });
      const tooLong = delay(FIRST_ATTEMPT_MS, undefined, { ref: false });
      await Promise.race([tried, tooLong]).catch(() => undefined);
    }
  }

  /** Nest closes a data source that is connected; one that never was may have a server all the same. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.dataSource.isInitialized) await this.dataSource.release();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.settle();
    await this.connecting;
  }

  /**
   * Asks the database whether it is there and has every migration of this version.
   *
   * @throws Error otherwise
   */
  async assertReady(): Promise<void> {
    const pending = await this.dataSource.pendingMigrations();
    if (pending.length > 0) throw new Error('Migrations are pending: run them');
  }

  private async connectUntilReached(): Promise<void> {
    const { signal } = this.stopping;
    let isReached = false;
    while (!isReached) {
      await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      isReached = await this.connect().then(
        () => true,
        () => false,
      );
    }
  }

  /** @throws Error when the database cannot be reached */
  private async connect(): Promise<void> {
    await this.dataSource.initialize();
    this.settle();
    this.logger.log('Connected to the database');
    await this.assertReady().catch((error: unknown) => {
      this.logger.warn(`The service is not ready yet (${reasonOf(error)})`);
    });
  }
}
