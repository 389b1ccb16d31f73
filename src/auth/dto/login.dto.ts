import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Password } from '../../password/password-rules';
import { OptionalText, RequiredText, Storable, textRule } from '../../validation/rules';

const GRANT_TYPE = 'password';

/** Form of a login, the password grant of OAuth 2.0 (RFC 6749 §4.3.2), in the reference's order. */
export class LoginDto {
  @GrantType()
  @ApiPropertyOptional({ enum: [GRANT_TYPE] })
  readonly grant_type?: string;

  @LoginName()
  @ApiProperty({ example: 'hana' })
  readonly username!: string;

  @Password()
  @ApiProperty({ format: 'password', example: 'correct horse 9' })
  readonly password!: string;

  @OptionalText()
  @ApiPropertyOptional({
    description: '`offline_access` asks for a refresh token; others are without effect.',
  })
  readonly scope?: string;

  @OptionalText()
  @ApiPropertyOptional({ description: 'Ignored.' })
  readonly client_id?: string;

  @OptionalText()
  @ApiPropertyOptional({ format: 'password', description: 'Ignored.' })
  readonly client_secret?: string;
}

function GrantType(): PropertyDecorator {
  return applyDecorators(
    OptionalText(),
    textRule('grantType', (value) => value === GRANT_TYPE, GRANT_TYPE),
  );
}

/** Any name that may be in the table: what was once allowed must still log in. */
function LoginName(): PropertyDecorator {
  return applyDecorators(RequiredText(), Storable());
}
