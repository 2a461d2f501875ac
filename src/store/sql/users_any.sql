-- Whether there is any user; always one row.
SELECT EXISTS (SELECT FROM users)
