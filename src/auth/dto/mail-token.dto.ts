import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { EmailAddress } from '../../user/email-address';
import { NotBlank, RequiredText, Storable } from '../../validation/rules';

/** What a mail has brought: a token from its link, or the code in it and where it was sent. */
export class MailTokenDto {
  @MailToken()
  readonly token!: string;

  @AddressOfCode()
  readonly email?: string;
}

/** A field for a token or a code from a mail. */
export function MailToken(): PropertyDecorator {
  return applyDecorators(
    RequiredText(),
    NotBlank(),
    Storable(),
    ApiProperty({
      description: 'What the link ends with after `#`, or the code of eight digits.',
      example: '12345678',
    }),
  );
}

/** A field for the address that a code was sent to. */
export function AddressOfCode(): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    EmailAddress(),
    ApiPropertyOptional({
      format: 'email',
      description: 'With a code: the address that it was sent to.',
      example: 'hana@example.com',
    }),
  );
}
