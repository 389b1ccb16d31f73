import { ApiProperty } from '@nestjs/swagger';
import { Password } from '../../password/password-rules';
import { EmailAddress } from '../../user/email-address';

/** Body of a change of address, in the order in which errors are told. */
export class ChangeEmailDto {
  @EmailAddress()
  @ApiProperty({ format: 'email', example: 'hana@example.org' })
  readonly email!: string;

  @Password()
  @ApiProperty({ format: 'password', example: 'correct horse 9' })
  readonly password!: string;
}
