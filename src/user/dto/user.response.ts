import { ApiProperty } from '@nestjs/swagger';
import type { User } from '../user.entity';

/** What an account shows of itself to its owner. */
export class UserResponse {
  @ApiProperty({ type: 'integer', example: 1 })
  readonly id!: number;

  @ApiProperty({ example: 'hana' })
  readonly username!: string;

  @ApiProperty({ example: 'hana@example.com' })
  readonly email!: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the address was confirmed; null until then.',
    example: '2026-11-22T09:00:00.000Z',
  })
  readonly email_verified_at!: Date | null;
}

/** The only way from a row to an answer: what is not named here never leaves. */
export function toUserResponse({ id, username, email, emailVerifiedAt }: User): UserResponse {
  return { id, username, email, email_verified_at: emailVerifiedAt };
}
