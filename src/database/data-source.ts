import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pg, { type PoolConfig } from 'pg';
import {
  DataSource,
  type EntityManager,
  type Migration,
  MigrationExecutor,
  type QueryRunner,
} from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions';
import type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel';
import type { Logger } from 'pino';
import { AuditEvent } from '../audit/audit-event.entity';
import { dataDirectory } from '../config/data-directory';
import type { Settings } from '../config/settings';
import { StartError } from '../config/start-error';
import { KnownPlace } from '../limits/known-place.entity';
import { PasswordFailure } from '../limits/password-failure.entity';
import { RateLimit } from '../limits/rate-limit.entity';
import { Mail } from '../mail/mail.entity';
import { RecoveryToken } from '../recovery/recovery-token.entity';
import { RefreshToken } from '../session/refresh-token.entity';
import { RevokedToken } from '../session/revoked-token.entity';
import { UserSession } from '../session/user-session.entity';
import { User } from '../user/user.entity';
import { CreateUser1795348800000 } from '../../migrations/1795348800000-CreateUser';
import { CreateSessions1795435200000 } from '../../migrations/1795435200000-CreateSessions';
import { AddNotBefore1795521600000 } from '../../migrations/1795521600000-AddNotBefore';
import { AddUsernameFolded1795608000000 } from '../../migrations/1795608000000-AddUsernameFolded';
import { IndexUsernameFolded1795608000001 } from '../../migrations/1795608000001-IndexUsernameFolded';
import { CreateLimits1795780800000 } from '../../migrations/1795780800000-CreateLimits';
import { CreateRecovery1795867200000 } from '../../migrations/1795867200000-CreateRecovery';
import { CreateAudit1795953600000 } from '../../migrations/1795953600000-CreateAudit';
import { beginTransaction } from './after-commit';
import { isConnectionDropped, isUndone } from './database-errors';
import { EmbeddedPostgres } from './embedded-postgres';
import { ImpatientClient } from './impatient-client';
import { type ConnectionEvents, ImpatientPool } from './impatient-pool';
import { MIGRATIONS_TABLE } from './migrations-table';
import { PATIENCE_MS } from './patience';
import { assertServiceRole, grantToService } from './service-privileges';
import {
  asOptions,
  holdInTransactions,
  type SessionSettings,
  sessionSettingsHold,
} from './session-settings';
import { TypeOrmLogger } from './typeorm-logger';

/** Every table of the service. */
const ENTITIES = [
  User,
  UserSession,
  RefreshToken,
  RevokedToken,
  RateLimit,
  PasswordFailure,
  KnownPlace,
  RecoveryToken,
  Mail,
  AuditEvent,
];

/** Every migration, oldest first: named here, so that a left-over file in a build never runs. */
export const MIGRATIONS = [
  CreateUser1795348800000,
  CreateSessions1795435200000,
  AddNotBefore1795521600000,
  AddUsernameFolded1795608000000,
  IndexUsernameFolded1795608000001,
  CreateLimits1795780800000,
  CreateRecovery1795867200000,
  CreateAudit1795953600000,
];

/** Advisory lock that whoever migrates holds, so that two never do at once. */
const MIGRATION_LOCK = 0x75_61_73_02;
/** As PostgreSQL shows whoever serves requests. */
export const SERVICE_NAME = 'user-account-service';
/** Between two attempts to get it. */
const MIGRATION_LOCK_RETRY_MS = 200;
/** Most connections of a process. */
export const POOL_SIZE = 10;
/** Before another try: whoever cut one connection may be cutting others that are in the pool. */
const RETRY_PAUSE_MS = 50;
/** Where nobody waits for it. */
const PATIENT_CONNECT_MS = 10_000;

/** What is done in a transaction. */
type Work<T> = (manager: EntityManager) => Promise<T>;

/**
 * The server gives a statement up before the service does, which then keeps its connection; and a
 * transaction of a service that is cut off does not hold its locks for long.
 */
const SERVING: SessionSettings = {
  statement_timeout: '1200ms',
  idle_in_transaction_session_timeout: '5s',
};
/**
 * Whoever changes a busy table gives up so soon: everyone else waits behind whoever waits for a table
 * as a whole. Frozen or cut off in the middle of it, it must not keep the table either.
 */
const YIELDING: SessionSettings = {
  lock_timeout: '50ms',
  statement_timeout: '500ms',
  idle_in_transaction_session_timeout: '1s',
};

/** How patient whoever uses a data source is. */
export interface Manners {
  /** Somebody waits for every query, as requests do and migrations do not. */
  readonly serving?: boolean;
  /**
   * Others are at work on the tables: what would hold them up fails instead (SQLSTATE 55P03, 57014,
   * 25P03).
   */
  readonly yielding?: boolean;
  /** Role to act as, to which then belongs what is made; by default that of the settings. */
  readonly role?: string;
  /** Nothing is to be changed: PostgreSQL sees to it. */
  readonly readOnly?: boolean;
  /** As PostgreSQL shows it; by default as the service, or as its tools. */
  readonly name?: string;
}

/** What pg says of a pool. */
type PoolState = Pick<pg.Pool, 'totalCount' | 'idleCount' | 'waitingCount' | 'end'>;

/** Where the database is and how to log in there. */
type Connection = Pick<
  PostgresDataSourceOptions,
  'host' | 'port' | 'username' | 'password' | 'database'
> & { readonly ssl?: false };

/** What whoever migrates writes into the database, for whoever then serves. */
type Policy = Pick<Settings, 'DB_SERVICE_ROLE' | 'AUDIT_RETENTION_DAYS'>;

/**
 * The one way to the database, for the service, the TypeORM command line and the tests.
 * Not connected yet: call `initialize()`.
 */
export class ServiceDataSource extends DataSource {
  /** Of connections that were waited for, where somebody waits for every query. */
  readonly connections: EventEmitter<ConnectionEvents>;
  private hasMigrationLock = false;
  private readonly serving: boolean;
  private readonly yielding: boolean;
  private readonly settings: SessionSettings;

  private constructor(
    private readonly connection: Connection,
    private readonly log: Logger,
    private readonly policy: Policy,
    { serving = false, yielding = false, readOnly = false, role, name }: Manners,
    private readonly embedded?: EmbeddedPostgres,
  ) {
    const connections = new EventEmitter<ConnectionEvents>();
    const settings: SessionSettings = {
      ...(readOnly && { default_transaction_read_only: 'on' }),
      ...(role !== undefined && { role }),
      ...(yielding && YIELDING),
      ...(serving && SERVING),
    };
    super({
      type: 'postgres',
      ...connection,
      entities: ENTITIES,
      migrations: MIGRATIONS,
      migrationsTransactionMode: 'each',
      migrationsTableName: MIGRATIONS_TABLE,
      synchronize: false,
      logger: new TypeOrmLogger(log),
      poolSize: POOL_SIZE,
      applicationName: name ?? (serving ? SERVICE_NAME : `${SERVICE_NAME} tools`),
      extra: {
        keepAlive: true,
        options: asOptions(settings),
        Client: serving ? ImpatientClient : pg.Client,
        // One is always there: whoever looks sees that the service is at work.
        ...(serving && { min: 1, events: connections }),
      },
      ...(serving
        ? { driver: { ...pg, Pool: ImpatientPool } }
        : { connectTimeoutMS: PATIENT_CONNECT_MS }),
    });
    this.serving = serving;
    this.connections = connections;
    this.yielding = yielding;
    this.settings = settings;
  }

  /** Its connections, once it has been connected. */
  get pool(): PoolState | undefined {
    // TypeORM types it as anything, and has none before.
    return (this.driver as PostgresDriver).master as PoolState | undefined;
  }

  /** Starts or joins the embedded server first if the settings ask for it. */
  static async open(
    settings: Settings,
    logger: Logger,
    manners: Manners = {},
  ): Promise<ServiceDataSource> {
    if (settings.embedded) {
      const server = await EmbeddedPostgres.start(dataDirectory(settings));
      const { host, port, user, password, database } = server;
      return new ServiceDataSource(
        { host, port, username: user, password, database, ssl: false },
        logger,
        settings,
        manners,
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
      settings,
      manners,
    );
  }

  /**
   * Connects, through a pooler too.
   *
   * @throws StartError where a pooler stands before a database that is to be taken over
   */
  override async initialize(): Promise<this> {
    if (!(await this.settingsHold())) {
      // An index that is built while others write is built in no transaction.
      if (this.yielding) {
        throw new StartError(
          'INSTANCE_HOST and DB_PORT name a pooler such as PgBouncer: taking over needs PostgreSQL itself, so name that',
        );
      }
      const extra = this.options.extra as PoolConfig;
      const Client = holdInTransactions(this.serving ? ImpatientClient : pg.Client, this.settings);
      this.setOptions({ extra: { ...extra, options: undefined, Client } });
    }
    try {
      return await super.initialize();
    } catch (error) {
      // Who says nothing more does not answer a farewell either.
      void this.closeUnused().catch(() => undefined);
      throw error;
    }
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

  /** Those that have not run on this database, oldest first. Changes nothing. */
  pendingMigrations(): Promise<Migration[]> {
    return new MigrationExecutor(this).getPendingMigrations();
  }

  /** Those that have. Changes nothing. */
  executedMigrations(): Promise<Migration[]> {
    return new MigrationExecutor(this).getExecutedMigrations();
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
      await delay(RETRY_PAUSE_MS);
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
    const attempt = async (): Promise<T> => {
      committing = false;
      let committed: (() => void) | undefined;
      const all = async (manager: EntityManager): Promise<T> => {
        // A transaction has a connection of its own.
        if (manager.queryRunner !== undefined) committed = beginTransaction(manager.queryRunner);
        const result = await work(manager);
        committing = true;
        return result;
      };
      const result =
        isolation === undefined
          ? await this.manager.transaction(all)
          : await this.manager.transaction(isolation, all);
      committed?.();
      return result;
    };
    return attempt().catch(async (error: unknown) => {
      if (!isUndone(error) && (committing || !isConnectionDropped(error))) throw error;
      await delay(RETRY_PAUSE_MS);
      return attempt();
    });
  }

  /**
   * Runs what is pending, and brings the policy of the settings into the database, whether anything was
   * or not. On connections of their own where requests are served: migrations take their time.
   */
  override async runMigrations(
    options?: Parameters<DataSource['runMigrations']>[0],
  ): Promise<Migration[]> {
    if (!this.serving) {
      return this.withMigrationLock(async () => {
        const { DB_SERVICE_ROLE } = this.policy;
        if (DB_SERVICE_ROLE !== '') await assertServiceRole(this, DB_SERVICE_ROLE);
        const done = await super.runMigrations(options);
        await this.applyPolicy();
        return done;
      });
    }
    const patient = new ServiceDataSource(this.connection, this.log, this.policy, {});
    await patient.initialize();
    try {
      return await patient.runMigrations(options);
    } finally {
      await patient.destroy();
    }
  }

  /** What TypeORM leaves open when its first question on a connection is refused. */
  private async closeUnused(): Promise<void> {
    const { connectedQueryRunners } = this.driver as PostgresDriver;
    await Promise.all([...connectedQueryRunners].map((runner) => runner.release()));
    await this.pool?.end();
  }

  private async settingsHold(): Promise<boolean> {
    if (Object.keys(this.settings).length === 0) return true;
    const { username: user, ...connection } = this.connection;
    return sessionSettingsHold(
      {
        ...connection,
        user,
        connectionTimeoutMillis: this.serving ? PATIENCE_MS : PATIENT_CONNECT_MS,
      },
      this.settings,
    );
  }

  override undoLastMigration(
    options?: Parameters<DataSource['undoLastMigration']>[0],
  ): Promise<void> {
    return this.withMigrationLock(async () => {
      // On the way down, TypeORM does not ask a migration whether it wants a transaction.
      const [last] = await this.executedMigrations();
      const migration = this.migrations.find(({ name }) => name === last?.name);
      const transaction = migration?.transaction === false ? 'none' : options?.transaction;
      await super.undoLastMigration({ ...options, ...(transaction && { transaction }) });
    });
  }

  private async applyPolicy(): Promise<void> {
    const { DB_SERVICE_ROLE, AUDIT_RETENTION_DAYS } = this.policy;
    if (AUDIT_RETENTION_DAYS > 0) {
      await this.query('UPDATE audit_policy SET retention_days = $1', [AUDIT_RETENTION_DAYS]);
    }
    if (DB_SERVICE_ROLE !== '') await grantToService(this, DB_SERVICE_ROLE);
  }

  /**
   * Does something while nobody else migrates, once whoever does has ended. Migrations may be run and
   * reverted within.
   *
   * @param onWait called when somebody else does
   */
  async withMigrationLock<T>(
    work: () => Promise<T>,
    onWait: () => void = () => undefined,
  ): Promise<T> {
    if (this.hasMigrationLock) return work();
    const lock = this.createQueryRunner();
    try {
      // In a transaction of its own: poolers hand a connection on between two. It holds nobody up.
      await lock.startTransaction('READ COMMITTED');
      await lock.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      for (let asked = false; !(await tryMigrationLock(lock)); asked = true) {
        if (!asked) onWait();
        await delay(MIGRATION_LOCK_RETRY_MS);
      }
      this.hasMigrationLock = true;
      return await work();
    } finally {
      this.hasMigrationLock = false;
      if (lock.isTransactionActive) await lock.rollbackTransaction();
      await lock.release();
    }
  }
}

/**
 * Takes the lock if it is free. What CREATE INDEX CONCURRENTLY waits for is every snapshot from
 * before, and both must not leave one, or they wait for each other for ever: a statement that waits
 * for the lock has one, and so has one with parameters until the next.
 */
async function tryMigrationLock(queryRunner: QueryRunner): Promise<boolean> {
  const [{ locked }] = (await queryRunner.query(
    `SELECT pg_try_advisory_xact_lock(${String(MIGRATION_LOCK)}) AS locked`,
  )) as [{ locked: boolean }];
  return locked;
}
