import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { OptionalText, RequiredText } from '../../validation/rules';

export const GRANT_TYPES = ['password', 'refresh_token'] as const;

/** What every request to the token endpoint says. */
export class TokenRequestDto {
  @RequiredText()
  @ApiProperty({ enum: GRANT_TYPES })
  readonly grant_type!: string;
}

/** The grant of a refresh token (RFC 6749 §6). */
export class RefreshTokenGrantDto {
  @RequiredText()
  readonly refresh_token!: string;

  @OptionalText()
  readonly scope?: string;
}

/** Both grants, as the description of the API shows them. */
export class TokenRequestForm extends TokenRequestDto {
  @ApiPropertyOptional({ description: 'For `password`.', example: 'hana' })
  readonly username?: string;

  @ApiPropertyOptional({
    description: 'For `password`.',
    format: 'password',
    example: 'correct horse 9',
  })
  readonly password?: string;

  @ApiPropertyOptional({ description: 'For `refresh_token`.' })
  readonly refresh_token?: string;

  @ApiPropertyOptional({
    description: '`offline_access` asks for a refresh token.',
    example: 'offline_access',
  })
  readonly scope?: string;
}
