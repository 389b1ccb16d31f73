import { ApiProperty } from '@nestjs/swagger';
import { NewPassword, SamePassword } from '../../password/password-rules';
import { AddressOfCode, MailToken, type MailTokenDto } from './mail-token.dto';

/** Body of a reset of a password, in the order in which errors are told. */
export class ResetPasswordDto implements MailTokenDto {
  @MailToken()
  readonly token!: string;

  @AddressOfCode()
  readonly email?: string;

  @NewPassword()
  @ApiProperty({ format: 'password', example: 'battery staple 8' })
  readonly password1!: string;

  @SamePassword('password1')
  @ApiProperty({ format: 'password', example: 'battery staple 8' })
  readonly password2!: string;
}
