import pg from 'pg';
import { DataSource, type EntityManager, type Migration, type QueryRunner } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions';
import type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel';
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
import { isConnectionDropped, isUndone } from './database-errors';
import { EmbeddedPostgres } from './embedded-postgres';
import { ImpatientPool } from './impatient-pool';
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
/** Where nobody waits for it. */
const PATIENT_CONNECT_MS = 10_000;

/** What is done in a transaction. */
type Work<T> = (manager: EntityManager) => Promise<T>;

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
    private readonly connection: Connection,
    private readonly log: Logger,
    private readonly serving: boolean,
    private readonly embedded?: EmbeddedPostgres,
  ) {
    super({
      type: 'postgres',
      ...connection,
      entities: ENTITIES,
      migrations: MIGRATIONS,
      migrationsTransactionMode: 'each',
      synchronize: false,
      logger: new TypeOrmLogger(log),
      poolSize: POOL_SIZE,
      applicationName: 'user-account-service',
      extra: { keepAlive: true },
      ...(serving
        ? { driver: { ...pg, Pool: ImpatientPool } }
        : { connectTimeoutMS: PATIENT_CONNECT_MS }),
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

  /**
   * A statement outside of a transaction is tried once more where that is safe: one that only reads,
   * if its connection was lost, and any that the server has undone.
   */
  override async query<T>(sql: string, parameters?: unknown[], runner?: QueryRunner): Promise<T> {
    try {
      return await super.query<T>(sql, parameters, runner);
    } catch (error) {
      const isRead = /^\s*SELECT\b/.test(sql);
      const isSafe = isUndone(error) || (isRead && isConnectionDropped(error));
      if (runner !== undefined || !isSafe) throw error;
      return super.query<T>(sql, parameters);
    }
  }

  /**
   * A transaction is tried once more where that is safe: if its connection was lost before it was
   * to be committed, or the server has undone it. What it does other than to the database, it does
   * again.
   */
  override async transaction<T>(...begin: [Work<T>] | [IsolationLevel, Work<T>]): Promise<T> {
    const [isolation, work] = begin.length === 2 ? begin : [this.options.isolationLevel, ...begin];
    let committing = false;
    const attempt = (): Promise<T> => {
      committing = false;
      const all = async (manager: EntityManager): Promise<T> => {
        const result = await work(manager);
        committing = true;
        return result;
      };
      return isolation === undefined
        ? this.manager.transaction(all)
        : this.manager.transaction(isolation, all);
    };
    return attempt().catch((error: unknown) => {
      if (isUndone(error) || (!committing && isConnectionDropped(error))) return attempt();
      throw error;
    });
  }

  /** On connections of their own where requests are served: migrations take their time. */
  override async runMigrations(
    options?: Parameters<DataSource['runMigrations']>[0],
  ): Promise<Migration[]> {
    if (!this.serving) return this.withMigrationLock(() => super.runMigrations(options));
    const patient = await new ServiceDataSource(this.connection, this.log, false).initialize();
    try {
      return await patient.runMigrations(options);
    } finally {
      await patient.destroy();
    }
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
