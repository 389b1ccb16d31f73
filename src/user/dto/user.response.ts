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
}

/** The only way from a row to an answer: what is not named here never leaves. */
export function toUserResponse({ id, username, email }: User): UserResponse {
  return { id, username, email };
}
