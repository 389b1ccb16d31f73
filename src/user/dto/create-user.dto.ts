import { ApiProperty } from '@nestjs/swagger';
import { NewPassword, SamePassword } from '../../password/password-rules';
import { EmailAddress } from '../email-address';
import { MAX_USERNAME_LENGTH, Username, USERNAME_DESCRIPTION } from '../username';

/** Body of a registration, in the order in which errors are told. */
export class CreateUserDto {
  @Username()
  @ApiProperty({
    maxLength: MAX_USERNAME_LENGTH,
    description: USERNAME_DESCRIPTION,
    example: 'hana',
  })
  readonly username!: string;

  @NewPassword()
  @ApiProperty({ format: 'password', example: 'correct horse 9' })
  readonly password1!: string;

  @SamePassword('password1')
  @ApiProperty({ format: 'password', example: 'correct horse 9' })
  readonly password2!: string;

  @EmailAddress()
  @ApiProperty({ format: 'email', example: 'hana@example.com' })
  readonly email!: string;
}
