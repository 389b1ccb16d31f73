import { DataSource, type Migration } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions';
import type { Logger } from 'pino';
import { dataDirectory } from '../config/data-directory';
import type { Settings } from '../config/settings';
import { RefreshToken } from '../session/refresh-token.entity';
import { RevokedToken } from '../session/revoked-token.entity';
import { UserSession } from '../session/user-session.entity';
import { User } from '../user/user.entity';
import { CreateUser1795348800000 } from '../../migrations/1795348800000-CreateUser';
import { CreateSessions1795435200000 } from '../../migrations/1795435200000-CreateSessions';
import { AddNotBefore1795521600000 } from '../../migrations/1795521600000-AddNotBefore';
import { EmbeddedPostgres } from './embedded-postgres';
import { ImpatientClient } from './impatient-client';
import { TypeOrmLogger } from './typeorm-logger';

/** Every table of the service. */
const ENTITIES = [User, UserSession, RefreshToken, RevokedToken];

/** Every migration, oldest first: named here, so that a left-over file in a build never runs. */
export const MIGRATIONS = [
  CreateUser1795348800000,
  CreateSessions1795435200000,
  AddNotBefore1795521600000,
];

/** Advisory lock that whoever migrates holds, so that two never do at once. */
const MIGRATION_LOCK = 0x75_61_73_02;
const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 2000;
/** A database that has stopped answering, frozen or cut off, does not say so. */
const QUERY_TIMEOUT_MS = 5000;

/** Where the database is and how to log in there. */
type Connection = Pick<
  PostgresDataSourceOptions,
  'host' | 'port' | 'username' | 'password' | 'database' | 'ssl'
>;

/**
 * The one way to the database, for the service, the TypeORM command line and the tests.
 * Not connected yet: call `initialize()`.
 */
export class ServiceDataSource extends DataSource {
  private constructor(
    connection: Connection,
    logger: Logger,
    serving: boolean,
    private readonly embedded?: EmbeddedPostgres,
  ) {
    super({
      type: 'postgres',
      ...connection,
      entities: ENTITIES,
      migrations: MIGRATIONS,
      migrationsTransactionMode: 'each',
      synchronize: false,
      logger: new TypeOrmLogger(logger),
      poolSize: POOL_SIZE,
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      applicationName: 'user-account-service',
      extra: {
        keepAlive: true,
        ...(serving && { query_timeout: QUERY_TIMEOUT_MS, Client: ImpatientClient }),
      },
    });
  }

  /**
   * Starts or joins the embedded server first if the settings ask for it.
   *
   * @param serving whether somebody waits for every query, as requests do and migrations do not
   */
  static async open(
    settings: Settings,
    logger: Logger,
    { serving = false } = {},
  ): Promise<ServiceDataSource> {
    if (settings.embedded) {
      const server = await EmbeddedPostgres.start(dataDirectory(settings));
      const { host, port, user, password, database } = server;
      return new ServiceDataSource(
        { host, port, username: user, password, database, ssl: false },
        logger,
        serving,
        server,
      );
    }
    return new ServiceDataSource(
      {
        host: settings.INSTANCE_HOST,
        port: settings.DB_PORT,
        username: settings.DB_USER,
        password: settings.DB_PASS,
        database: settings.DB_NAME,
      },
      logger,
      serving,
    );
  }

  /** Closes the connections, and stops the embedded server if nobody else uses it. */
  override async destroy(): Promise<void> {
    await super.destroy();
    await this.release();
  }

  /** Stops the embedded server if nobody else uses it: for one that was never connected to. */
  async release(): Promise<void> {
    await this.embedded?.release();
  }

  override runMigrations(
    options?: Parameters<DataSource['runMigrations']>[0],
  ): Promise<Migration[]> {
    return this.withMigrationLock(() => super.runMigrations(options));
  }

  override undoLastMigration(
    options?: Parameters<DataSource['undoLastMigration']>[0],
  ): Promise<void> {
    return this.withMigrationLock(() => super.undoLastMigration(options));
  }

  /** In a transaction of its own: poolers hand a connection on between two transactions. */
  private async withMigrationLock<T>(work: () => Promise<T>): Promise<T> {
    const lock = this.createQueryRunner();
    try {
      await lock.startTransaction();
      await lock.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      return await work();
    } finally {
      if (lock.isTransactionActive) await lock.rollbackTransaction();
      await lock.release();
    }
  }
}
