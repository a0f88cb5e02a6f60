process.stdout.write("pitboss\n");
