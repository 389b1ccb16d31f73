import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** Answer to a login (RFC 6749 §5.1), with the name that the reference adds. */
export class TokenResponse {
  @ApiProperty({
    description: 'JWT, HS256: `sub` is the username, `sid` the login, `jti` this token.',
    example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJoYW5hIn0.c2lnbmF0dXJl',
  })
  readonly access_token!: string;

  @ApiProperty({ enum: ['bearer'] })
  readonly token_type!: 'bearer';

  @ApiProperty({ example: 'hana' })
  readonly username!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Seconds until the token expires.',
    example: 86_400,
  })
  readonly expires_in!: number;

  @ApiPropertyOptional({
    description: 'With the scope `offline_access`: good for one new token, and one of these.',
    example: 'ZWYyNmEyYjgtMzYxNS00ZTQ1LWE4ZGMtNjA3YjY0ZjM',
  })
  readonly refresh_token?: string;

  @ApiPropertyOptional({ enum: ['offline_access'] })
  readonly scope?: 'offline_access';
}
