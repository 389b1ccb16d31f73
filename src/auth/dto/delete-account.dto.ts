import { ApiProperty } from '@nestjs/swagger';
import { Password } from '../../password/password-rules';

/** Body of the deletion of an account: only its owner knows the password. */
export class DeleteAccountDto {
  @Password()
  @ApiProperty({ format: 'password', example: 'correct horse 9' })
  readonly password!: string;
}
