import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { EmailAddress } from '../../user/email-address';
import { NotBlank, RequiredText, Storable } from '../../validation/rules';

/** What a mail has brought: a token from its link, or the code in it and where it was sent. */
export class MailTokenDto {
  @RequiredText()
  @NotBlank()
  @Storable()
  @ApiProperty({
    description: 'What the link ends with after `#`, or the code of eight digits.',
    example: '12345678',
  })
  readonly token!: string;

  @IsOptional()
  @EmailAddress()
  @ApiPropertyOptional({
    format: 'email',
    description: 'With a code: the address that it was sent to.',
    example: 'hana@example.com',
  })
  readonly email?: string;
}
