import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';

/** Any error but a 422. */
export class ErrorResponse {
  @ApiProperty({
    description: 'What went wrong, in the language of `Accept-Language`: `ko` or `en`.',
  })
  readonly detail!: string;
}

/** The error of a login, as OAuth 2.0 has it, beside the usual. */
export class OAuthErrorResponse extends ErrorResponse {
  @ApiProperty({ description: 'RFC 6749 §5.2', example: 'invalid_grant' })
  readonly error!: string;

  @ApiProperty({ example: 'Incorrect username or password' })
  readonly error_description!: string;
}

/** What is wrong with one field. */
export class FieldErrorResponse {
  @ApiProperty({
    description: '`body` and the name of the field, or `body` alone.',
    type: 'array',
    items: { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    example: ['body', 'username'],
  })
  readonly loc!: readonly (string | number)[];

  @ApiProperty({ example: '빈 값은 허용되지 않습니다.' })
  readonly msg!: string;

  @ApiProperty({ description: "pydantic v1's name for the kind of error.", example: 'value_error' })
  readonly type!: string;

  @ApiPropertyOptional({
    description: "The rule's own values.",
    type: 'object',
    additionalProperties: { oneOf: [{ type: 'string' }, { type: 'integer' }] },
    example: { limit_value: 8 },
  })
  readonly ctx?: Readonly<Record<string, string | number>>;
}

/** The error of the token endpoint: about the request, or about its parameters. */
@ApiExtraModels(FieldErrorResponse)
export class TokenErrorResponse {
  @ApiProperty({
    oneOf: [
      { type: 'string' },
      { type: 'array', items: { $ref: getSchemaPath(FieldErrorResponse) } },
    ],
  })
  readonly detail!: string | readonly FieldErrorResponse[];

  @ApiPropertyOptional({
    description: 'RFC 6749 §5.2; absent if the body could not be read at all.',
    enum: ['invalid_request', 'invalid_grant', 'unsupported_grant_type', 'temporarily_unavailable'],
  })
  readonly error?: string;

  @ApiPropertyOptional({ example: 'Incorrect username or password' })
  readonly error_description?: string;
}

/** 422: one entry for each field that is wrong, in the order of the fields. */
@ApiExtraModels(FieldErrorResponse)
export class ValidationErrorResponse {
  @ApiProperty({ type: 'array', minItems: 1, items: { $ref: getSchemaPath(FieldErrorResponse) } })
  readonly detail!: readonly FieldErrorResponse[];
}
