import { ApiPropertyOptional } from '@nestjs/swagger';
import { UserResponse } from '../../user/dto/user.response';

/** An account under its new name, and the token that speaks for that; a browser has it as a cookie. */
export class RenamedResponse extends UserResponse {
  @ApiPropertyOptional({
    example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJoYW5hIn0.c2lnbmF0dXJl',
  })
  readonly access_token?: string;

  @ApiPropertyOptional({ enum: ['bearer'] })
  readonly token_type?: 'bearer';

  @ApiPropertyOptional({ type: 'integer', example: 86_400 })
  readonly expires_in?: number;
}
