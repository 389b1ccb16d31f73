import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { EmailAddress } from '../../user/email-address';

/** Body of a wish for another mail to confirm an address; whoever is logged in needs none. */
export class ResendDto {
  @IsOptional()
  @EmailAddress()
  @ApiPropertyOptional({ format: 'email', example: 'hana@example.com' })
  readonly email?: string;
}
