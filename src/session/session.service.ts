import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { type EntityManager, Raw, type Repository } from 'typeorm';
import { recordEvents } from '../audit/record-event';
import { Settings } from '../config/settings';
import type { Client } from '../http/client.decorator';
import { reasonOf } from '../logging/safe-error';
import type { User } from '../user/user.entity';
import { RefreshTokenService } from './refresh-token.service';
import { SECONDS_LEFT, UserSession } from './user-session.entity';

/** A login that has just begun, or has just been renewed. */
export interface StartedSession {
  readonly id: string;
  /** See `UserSession`. */
  readonly generation: number;
  /** Seconds until it is over if nothing renews it. */
  readonly secondsLeft: number;
  /** What renews it, if that was asked for. */
  readonly refreshToken?: string | undefined;
}

/** What a token says that belongs to a login. */
export interface SessionToken {
  /** The name of the account when it was issued. */
  readonly username: string;
  readonly sessionId: string;
  readonly generation: number;
}

/** Some of the logins of an account, newest first, and how many there are. */
export interface SessionPage {
  readonly sessions: readonly UserSession[];
  readonly total: number;
}

const LIVE = Raw((column) => `${column} > now()`);

/** The logins. */
@Injectable()
export class SessionService {
  private readonly logger = new Logger(SessionService.name);
  /** Logins whose use is being noted. */
  private readonly touching = new Set<string>();

  constructor(
    @InjectRepository(UserSession) private readonly sessions: Repository<UserSession>,
    private readonly refreshTokens: RefreshTokenService,
    private readonly settings: Settings,
  ) {}

  /**
   * Starts a login of an account, and ends its oldest one if there are too many, in the transaction of
   * what else has to happen then.
   *
   * @param user with the hash that the password was verified against, and the name it was asked for by
   * @returns undefined if either has changed meanwhile, or the account was disabled: what was
   *   verified does not hold any more
   */
  async start(
    manager: EntityManager,
    user: User,
    client: Client,
    { withRefreshToken = false } = {},
  ): Promise<StartedSession | undefined> {
    const refresh = withRefreshToken ? this.refreshTokens.create() : undefined;
    // The lock on the account makes whoever changes its password wait, and then see this login. Of
    // two logins at once, the one that has waited for the other is the newer.
    const [started] = await manager.query<{ id: string; seconds_left: number }[]>(
      `WITH owner AS (
              SELECT id FROM "user"
                WHERE id = $1 AND password = $2 AND username = $8 AND disabled_at IS NULL
                 FOR NO KEY UPDATE),
            locked AS MATERIALIZED (SELECT id, clock_timestamp() AS at FROM owner),
            login AS (
              INSERT INTO user_session
                     (id, user_id, ip, user_agent, created_at, last_used_at, expires_at)
              SELECT $3::uuid, id, $4, $5, at, at, at + $6 * interval '1 second' FROM locked
              RETURNING id, ${SECONDS_LEFT}),
            token AS (
              INSERT INTO refresh_token (hash, session_id)
              SELECT $7::bytea, id FROM login WHERE $7::bytea IS NOT NULL)
       SELECT id, seconds_left FROM login`,
      [
        user.id,
        user.password,
        randomUUID(),
        client.ip,
        client.userAgent,
        refresh === undefined
          ? this.settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60
          : this.refreshTokens.idleSeconds,
        refresh?.hash ?? null,
        user.username,
      ],
    );
    if (started === undefined) return undefined;
    await this.endOldest(manager, user.id, started.id, client);
    return {
      id: started.id,
      generation: 0,
      secondsLeft: started.seconds_left,
      refreshToken: refresh?.token,
    };
  }

  /**
   * The account that a token speaks for: that of the live login that it names, if that has the
   * token's name and generation. One query; that the login was used is written down later, and at
   * most once a minute.
   */
  async accountOf({ sessionId, username, generation }: SessionToken): Promise<User | null> {
    const [found] = await this.sessions.query<(User & { unused: boolean })[]>(
      `SELECT u.id, u.username, u.email, u.email_verified_at AS "emailVerifiedAt",
              s.last_used_at < now() - interval '1 minute' AS unused
         FROM user_session s JOIN "user" u ON u.id = s.user_id
        WHERE s.id = $1 AND u.username = $2 AND s.generation = $3 AND s.expires_at > now()
          AND u.disabled_at IS NULL`,
      [sessionId, username, generation],
    );
    if (found === undefined) return null;
    const { unused, ...user } = found;
    if (unused) void this.touch(sessionId);
    return user;
  }

  /** The live logins of an account. @param page from 1 */
  async list(userId: number, page: number, size: number): Promise<SessionPage> {
    const [sessions, total] = await this.sessions.findAndCount({
      where: { userId, expiresAt: LIVE },
      order: { createdAt: 'DESC', id: 'ASC' },
      skip: (page - 1) * size,
      take: size,
    });
    return { sessions, total };
  }

  /** Ends one login of an account, by whatever may be its id. @returns whether it had such a one */
  async end(manager: EntityManager, userId: number, id: string): Promise<boolean> {
    if (!isUUID(id)) return false;
    const { affected } = await manager.delete(UserSession, { id, userId, expiresAt: LIVE });
    return affected === 1;
  }

  /**
   * Ends every login of an account, in the transaction of what is the reason, which has locked the
   * account.
   *
   * @param except of this id
   */
  async endAll(manager: EntityManager, userId: number, except?: string): Promise<void> {
    await manager.query(
      'DELETE FROM user_session WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid',
      [userId, except ?? null],
    );
  }

  /**
   * Kills every token of an account's logins, in the transaction of what is the reason. Those that a
   * refresh token can give a new one live on, and so does the current one; the others end, which is
   * recorded.
   *
   * @returns the current one, if it is still there
   */
  async renew(
    manager: EntityManager,
    userId: number,
    current: string | undefined,
    client: Client,
  ): Promise<StartedSession | undefined> {
    // Of a DELETE or an UPDATE, TypeORM answers the rows and how many they are.
    const [ended] = await manager.query<[{ id: string }[], number]>(
      `DELETE FROM user_session s WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid
          AND NOT EXISTS (SELECT FROM refresh_token WHERE session_id = s.id)
       RETURNING id`,
      [userId, current ?? null],
    );
    await recordEnded(manager, client, userId, ended);
    const [rows] = await manager.query<
      [{ id: string; generation: number; seconds_left: number }[], number]
    >(
      `UPDATE user_session SET generation = generation + 1
        WHERE user_id = $1 RETURNING id, generation, ${SECONDS_LEFT}`,
      [userId],
    );
    const renewed = rows.find(({ id }) => id === current);
    return (
      renewed && {
        id: renewed.id,
        generation: renewed.generation,
        secondsLeft: renewed.seconds_left,
      }
    );
  }

  /** Off the way of the request that is the reason: it has its answer whether this works or not. */
  private async touch(id: string): Promise<void> {
    if (this.touching.has(id)) return;
    this.touching.add(id);
    try {
      await this.sessions.query(
        `UPDATE user_session SET last_used_at = now()
          WHERE id = $1 AND last_used_at < now() - interval '1 minute'`,
        [id],
      );
    } catch (error) {
      this.logger.warn(`The use of a login was not noted (${reasonOf(error)})`);
    } finally {
      this.touching.delete(id);
    }
  }

  /**
   * Ends the oldest live logins of a locked account beyond `SESSIONS_PER_USER`, and records that.
   *
   * @param newest counts, and stays, whatever the clock of the database has said before
   */
  private async endOldest(
    manager: EntityManager,
    userId: number,
    newest: string,
    client: Client,
  ): Promise<void> {
    // Of a DELETE, TypeORM answers the rows and how many they are.
    const [ended] = await manager.query<[{ id: string }[], number]>(
      `DELETE FROM user_session WHERE id IN (
         SELECT id FROM user_session WHERE user_id = $1 AND id <> $3 AND expires_at > now()
          ORDER BY created_at DESC, id OFFSET $2)
       RETURNING id`,
      [userId, this.settings.SESSIONS_PER_USER - 1, newest],
    );
    await recordEnded(manager, client, userId, ended);
  }
}

/** Logins that were ended by something else than by themselves. */
function recordEnded(
  manager: EntityManager,
  client: Client,
  account: number,
  ended: readonly { readonly id: string }[],
): Promise<void> {
  const subjects = ended.map(({ id }) => ({ account, session: id }));
  return recordEvents(manager, client, 'authn_token_revoked', subjects);
}
