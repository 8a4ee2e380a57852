using Aragora.Runbook.Restores;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Restores;

public sealed class RestoreComplaintsTests
{
    [Fact]
    public void Rows_and_statements_are_not_kept() => RestoreComplaints.Of(
        """
        pg_restore: while PROCESSING TOC:
        pg_restore: from TOC entry 3; 1 2 USER MAPPING x
        pg_restore: error: could not execute query: ERROR:  duplicate key value violates unique constraint "k"
        DETAIL:  Key (name)=(somebody) already exists.
        CONTEXT:  COPY t, line 1: "somebody"
        Command was: CREATE USER MAPPING FOR a SERVER s OPTIONS (
            password 'hunter2'
        ERROR: also of the command
        );
        pg_restore: error: could not execute query: FATAL:  terminating connection
        server closed the connection unexpectedly
        	This probably means the server terminated abnormally
        Command was: COMMIT;
        """).ShouldBe(
        [
            "pg_restore: while PROCESSING TOC:",
            "pg_restore: from TOC entry 3; 1 2 USER MAPPING x",
            "pg_restore: error: could not execute query: ERROR:  duplicate key value violates unique constraint \"k\"",
            "Command was: CREATE USER MAPPING …",
            "pg_restore: error: could not execute query: FATAL:  terminating connection",
            "server closed the connection unexpectedly",
            "Command was: COMMIT; …",
        ]);

    [Theory]
    [InlineData("", 0)]
    [InlineData("\n \n", 0)]
    [InlineData("/usr/bin/pg_restore: error while loading shared libraries", 1)]
    [InlineData("DETAIL: x", 1)]
    [InlineData("pg_restore: detail: Query was: SELECT 1\nFROM t", 1)]
    public void A_word_of_any_kind_is_a_complaint(string said, int complaints) => RestoreComplaints.Of(said).Count.ShouldBe(complaints);

    [Theory]
    [InlineData("pg_restore: error: could not execute query: ERROR:  could not extend file \"base/5/1\": No space left on device", true)]
    [InlineData("pg_restore: error: COPY failed for table \"t\": ERROR:  out of memory", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  could not extend file \"base/16385/16401\": wrote only 4096 of 8192 bytes at block 6437", true)]
    [InlineData("pg_restore: error: COPY failed for table \"t: u\": ERROR:  could not extend file \"base/16385/16401\": wrote only 4096 of 8192 bytes", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  could not write to file \"base/pgsql_tmp/pgsql_tmp9.0\": No space left on device", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  could not write block 7 of temporary file: No space left on device", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  could not fsync file \"base/16385/16401\": No space left on device", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  could not fsync file \"base/16385/16401\": Input/output error", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  deadlock detected", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  could not access status of transaction 900", true)]
    [InlineData("pg_restore: error: could not execute query: PANIC:  could not write to file \"pg_wal/xlogtemp.9\": No space left on device", true)]
    [InlineData("pg_restore: error: could not execute query: server closed the connection unexpectedly", true)]
    [InlineData("pg_restore: error: connection to server at \"h\" failed: FATAL:  the database system is in recovery mode", true)]
    [InlineData("out of memory", true)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  invalid input syntax for type integer: \"No space left on device\"", false)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  invalid input syntax for type json: \"wrote only 1 of 2 bytes\"", false)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  no function \"terminating connection\"", false)]
    [InlineData("Command was: SELECT server closed the connection", false)]
    [InlineData("pg_restore: error: could not execute query: ERROR:  column \"x\" does not exist", false)]
    public void Only_what_the_server_died_of_says_nothing_of_the_backup(string line, bool ofTheTrial) => RestoreComplaints.IsOfTheTrial(line).ShouldBe(ofTheTrial);
}
