import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { Password } from '../../password/password-rules';
import { AddressOfCode, MailToken, type MailTokenDto } from './mail-token.dto';

/** Body of the confirmation of an address, in the order in which errors are told. */
export class VerifyEmailDto implements MailTokenDto {
  @MailToken()
  readonly token!: string;

  @AddressOfCode()
  readonly email?: string;

  @IsOptional()
  @Password()
  @ApiPropertyOptional({
    format: 'password',
    description: 'Without a login: shows that it is who signed up.',
    example: 'correct horse 9',
  })
  readonly password?: string;
}
