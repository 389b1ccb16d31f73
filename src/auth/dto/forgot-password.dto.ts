import { ApiProperty } from '@nestjs/swagger';
import { EmailAddress } from '../../user/email-address';

/** Body of a wish for a mail: where to. */
export class ForgotPasswordDto {
  @EmailAddress()
  @ApiProperty({ format: 'email', example: 'hana@example.com' })
  readonly email!: string;
}
