import { ApiProperty } from '@nestjs/swagger';
import { NewPassword, Password, SamePassword } from '../../password/password-rules';

/** Body of a change of password, in the order in which errors are told. */
export class ChangePasswordDto {
  @Password()
  @ApiProperty({ format: 'password', example: 'correct horse 9' })
  readonly current_password!: string;

  @NewPassword()
  @ApiProperty({ format: 'password', example: 'battery staple 8' })
  readonly password1!: string;

  @SamePassword('password1')
  @ApiProperty({ format: 'password', example: 'battery staple 8' })
  readonly password2!: string;
}
