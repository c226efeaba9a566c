"""What stands around the processes in production: nginx, PgBouncer, PostgreSQL's settings, health checks."""
