import { setTimeout as delay } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { safeError } from '../logging/safe-error';
import { Settings } from '../config/settings';
import { ServiceDataSource } from './data-source';

const RECONNECT_MS = 500;

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
   * The embedded database is connected and migrated before the service listens. Another one is
   * connected when it can be reached, and somebody else migrates it. A command comes with one that is
   * connected, and migrates nothing.
   */
  async onApplicationBootstrap(): Promise<void> {
    if (this.dataSource.isInitialized) {
      this.settle();
    } else if (this.settings.embedded) {
      await this.dataSource.initialize();
      await this.dataSource.runMigrations();
      this.settle();
    } else {
      this.connecting = this.connectUntilReached();
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
    if (pending.length > 0) throw new Error('Migrations are pending');
  }

  private async connectUntilReached(): Promise<void> {
    let failures = 0;
    while (!this.stopping.signal.aborted) {
      try {
        await this.dataSource.initialize();
        this.settle();
        this.logger.log('Connected to the database');
        await this.assertReady().catch(() => {
          this.logger.warn(
            'The schema is not current: run the migrations. Until then the service is not ready',
          );
        });
        return;
      } catch (error) {
        // Said once: the readiness check keeps saying it to whoever asks.
        if (failures === 0) {
          const { code, message } = safeError(error);
          this.logger.warn(`The database cannot be reached (${code ?? message ?? ''}); trying on`);
        }
        failures += 1;
        await delay(RECONNECT_MS, undefined, { signal: this.stopping.signal }).catch(
          () => undefined,
        );
      }
    }
  }
}
