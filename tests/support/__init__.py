"""What tests share: servers, the stack harness's ground, small tools."""
