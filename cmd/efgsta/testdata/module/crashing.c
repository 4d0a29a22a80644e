/* A PKCS#11 module that fails to give its functions and says so, which the binding
   does not look at: the first call goes through a null pointer. */
unsigned long C_GetFunctionList(void **list)
{
	*list = 0;
	return 5; /* CKR_GENERAL_ERROR */
}
