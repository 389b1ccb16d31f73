import { PickType } from '@nestjs/swagger';
import { CreateUserDto } from '../../user/dto/create-user.dto';

/** What an account is called, by the rules of a registration. */
export class NewAccountDto extends PickType(CreateUserDto, ['username', 'email']) {}
