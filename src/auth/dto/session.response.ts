import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import type { UserSession } from '../../session/user-session.entity';

/** A live login, as its owner sees it. */
export class SessionResponse {
  @ApiProperty({ format: 'uuid', example: '0b5ad1f5-39a1-4c51-9f0e-7b9f3b1c9d55' })
  readonly id!: string;

  @ApiProperty({ format: 'date-time', example: '2027-01-01T09:00:00.000Z' })
  readonly created_at!: string;

  @ApiProperty({
    description: 'To the minute.',
    format: 'date-time',
    example: '2027-01-01T12:30:00.000Z',
  })
  readonly last_used_at!: string;

  @ApiProperty({ format: 'date-time', example: '2027-01-02T09:00:00.000Z' })
  readonly expires_at!: string;

  @ApiProperty({
    description: 'Where it came from.',
    type: 'string',
    nullable: true,
    example: '203.0.113.7',
  })
  readonly ip!: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/146.0',
  })
  readonly user_agent!: string | null;

  @ApiProperty({ description: 'Whether it is the one that asks.' })
  readonly current!: boolean;
}

/** Some of the live logins, newest first. */
@ApiExtraModels(SessionResponse)
export class SessionPageResponse {
  @ApiProperty({ type: 'array', items: { $ref: getSchemaPath(SessionResponse) } })
  readonly items!: readonly SessionResponse[];

  @ApiProperty({ type: 'integer', description: 'How many there are on all pages.', example: 1 })
  readonly total!: number;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly page!: number;

  @ApiProperty({ type: 'integer', example: 50 })
  readonly size!: number;
}

/** @param current id of the login that asks, if it is one */
export function toSessionResponse(
  session: UserSession,
  current: string | undefined,
): SessionResponse {
  return {
    id: session.id,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    ip: session.ip,
    user_agent: session.userAgent,
    current: session.id === current,
  };
}
