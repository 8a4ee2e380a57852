using Aragora.Runbook.Migrations;
using Aragora.Runbook.Outcomes;
using Shouldly;
using Xunit;

namespace Aragora.Runbook.Tests.Migrations;

public sealed class MigrationsTreeReaderTests(RealServer server)
{
    [Fact]
    public async Task A_tree_is_read_as_Alembic_reads_it_and_env_py_is_not_run()
    {
        var tree = await TestTree.NewAsync(server, "with spaces and ü", env: "raise SystemExit('env.py was run')");
        tree.Add("r1000", null, "op.create_table('t')", "op.drop_column('t', 'c')\nop.execute('drop  table u')")
            .Add("r2000", "r1000", "pass", "raise NotImplementedError('never')")
            .Add("r3000", "r2000", "op.execute('SELECT 1')", "pass")
            .Add("r4000", "r3000", "op.execute('SELECT 1')", "pass", "downgrade_destroys = None")
            .Add("r5000", "r4000", "pass", "pass")
            .Add("r6000", "r5000", "op.execute('SELECT 1')", "op.drop_table('x')", "downgrade_destroys = 'all the votes'");

        var read = await tree.ReadAsync();

        read.Heads.ShouldBe(["r6000"]);
        read.Revisions.Select(revision => revision.Id).ShouldBe(["r6000", "r5000", "r4000", "r3000", "r2000", "r1000"]);
        read.Find("r2000")!.Parents.ShouldBe(["r1000"]);
        read.Find("r1000")!.Message.ShouldBe("Step r1000");
        read.Find("r1000")!.File.ShouldBe(tree.PathOf("r1000"));
        read.Find("r1000")!.DowngradeDestroys.ShouldBe("drop_column(t, c), DROP TABLE");
        read.Find("r6000")!.DowngradeDestroys.ShouldBe("all the votes");
        read.Revisions.Where(revision => revision.HasDowngrade).Select(revision => revision.Id).ShouldBe(["r6000", "r5000", "r4000", "r1000"]);
        Directory.EnumerateDirectories(tree.Folder, "__pycache__", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("op.execute('ALTER TABLE t DROP c')", "", "DROP COLUMN")]
    [InlineData("op.execute('ALTER TABLE ONLY \"my t\" ADD x int, DROP IF EXISTS c')", "", "DROP COLUMN")]
    [InlineData("op.execute('ALTER TABLE t ALTER c TYPE varchar(3)')", "", "ALTER COLUMN TYPE")]
    [InlineData("op.alter_column('t', 'c', type_=sa.String(10))", "", "alter_column(t, c) to another type")]
    [InlineData("op.execute(\"UPDATE ONLY public.users AS u SET name = 'x'\")", "", "UPDATE")]
    [InlineData("op.execute('INSERT INTO a VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2')", "", "ON CONFLICT DO UPDATE")]
    [InlineData("users = sa.table('users')\nop.execute(users.update().values(a=1))", "", "UPDATE")]
    [InlineData("op.execute(sa.delete(sa.table('users')))", "", "DELETE")]
    [InlineData("op.execute(SQL)", "SQL = 'CREATE INDEX i ON t (a); drop table x'", "DROP TABLE")]
    [InlineData("for t in ('a', 'b'):\n    op.execute(f'DROP TABLE {t}')", "", "DROP TABLE")]
    [InlineData("op.execute('DROP TYPE mood CASCADE')", "", "DROP … CASCADE")]
    [InlineData("helper()", "def helper():\n    again()\ndef again():\n    op.drop_column('t', 'c')", "drop_column(t, c)")]
    [InlineData("list(map(op.drop_table, TABLES))", "TABLES = ['a']", "drop_table")]
    public async Task A_downgrade_that_loses_data_is_seen_wherever_it_says_so(string downgrade, string header, string expected) =>
        (await DestroysAsync(downgrade, header)).ShouldBe(expected);

    [Theory]
    [InlineData("op.execute(open('x.sql').read())", "the statement that is executed")]
    [InlineData("op.execute('DO $$ BEGIN PERFORM 1; END $$')", "what \"DO ''\" does")]
    [InlineData("op.execute('SELECT undo_partition()')", "what \"SELECT undo_partition()\" does")]
    [InlineData("op.run_thing()", "what op.run_thing does")]
    [InlineData("import helpers\nhelpers.undo(op)", "what helpers.undo does")]
    [InlineData("getattr(op, 'drop_' + 'table')('t')", "what getattr() does")]
    [InlineData("sa.Table('t', sa.MetaData()).drop(op.get_bind())", "what sa.drop does")]
    public async Task What_a_downgrade_does_and_nobody_can_know_wants_to_be_accepted_too(string downgrade, string expected) =>
        (await DestroysAsync(downgrade, "")).ShouldNotBeNull().ShouldStartWith($"not known: {expected} (line ");

    [Theory]
    [InlineData("op.drop_index('x')\nop.drop_constraint('c', 't')\nop.execute('DROP INDEX i')\nop.execute('DROP TYPE mood')\nsa.Enum(name='mood').drop(op.get_bind())")]
    [InlineData("op.execute('ALTER TABLE t DROP CONSTRAINT c, ADD FOREIGN KEY (a) REFERENCES b ON UPDATE SET NULL ON DELETE CASCADE, ALTER a DROP NOT NULL, ALTER COLUMN b DROP DEFAULT')")]
    [InlineData("op.alter_column('t', 'c', nullable=False)\nop.alter_column('t', 'c', type_=sa.Text())\nop.rename_table('a', 'b')")]
    [InlineData("op.create_table('t', sa.Column('id', sa.Integer(), server_default=sa.text('now()')), sa.ForeignKeyConstraint(['a'], ['b.id'], ondelete='CASCADE'))")]
    [InlineData("bind = op.get_bind()\nfor row in bind.execute(sa.text('SELECT id FROM t FOR UPDATE')):\n    bind.execute(sa.text('INSERT INTO a VALUES (:i)'), {'i': row.id})")]
    [InlineData("with op.get_context().autocommit_block():\n    op.execute('DROP INDEX CONCURRENTLY IF EXISTS i')")]
    [InlineData("op.execute('CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()')\nop.execute('GRANT UPDATE ON t TO r')")]
    public async Task A_downgrade_that_loses_nothing_asks_for_nothing(string downgrade) =>
        (await DestroysAsync(downgrade, "")).ShouldBeNull();

    [Fact]
    public async Task A_downgrade_that_is_imported_is_not_known_unless_its_author_says_what_it_destroys()
    {
        var tree = await TestTree.NewAsync(server);
        const string Imported = "from os import getcwd as downgrade\nrevision = '{0}'\ndown_revision = {1}\n{2}\ndef upgrade():\n    pass\n";
        File.WriteAllText(tree.PathOf("r1000"), string.Format(System.Globalization.CultureInfo.InvariantCulture, Imported, "r1000", "None", ""));
        File.WriteAllText(tree.PathOf("r2000"), string.Format(System.Globalization.CultureInfo.InvariantCulture, Imported, "r2000", "'r1000'", "downgrade_destroys = None"));

        var read = await tree.ReadAsync();

        read.Find("r1000")!.HasDowngrade.ShouldBeTrue();
        read.Find("r1000")!.DowngradeDestroys.ShouldBe("not known: its downgrade is imported from os");
        read.Find("r2000")!.DowngradeDestroys.ShouldBeNull();
    }

    [Fact]
    public async Task Joins_dependencies_and_several_folders_are_read()
    {
        var tree = await TestTree.NewAsync(server);
        var ini = Path.Combine(tree.Folder, "alembic.ini");
        File.WriteAllText(ini, File.ReadAllText(ini).Replace("script_location = %(here)s", "script_location = %(here)s\nversion_locations = %(here)s/versions %(here)s/more", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(tree.Folder, "more"));
        tree.Add("r1000", null, "pass").Add("r2aaa", "r1000", "pass").Add("r2bbb", "r1000", "pass").Add("r3000", "('r2aaa', 'r2bbb')", "pass").Add("other", null, "pass", header: "depends_on = 'r2aaa'");
        File.Move(tree.PathOf("other"), Path.Combine(tree.Folder, "more", "other.py"));

        var read = await tree.ReadAsync();

        read.Heads.Order().ShouldBe(["other", "r3000"]);
        read.Find("r3000")!.Parents.Order().ShouldBe(["r2aaa", "r2bbb"]);
        read.Find("other")!.Parents.ShouldBe(["r2aaa"]);
    }

    [Theory]
    [InlineData("syntax", "r2000_step.py, line 3: syntax error")]
    [InlineData("import", "ModuleNotFoundError: No module named 'no_such_module'")]
    [InlineData("duplicate", "two files have the same revision id")]
    [InlineData("missing parent", "r0000 referenced from r0000 -> r1000")]
    [InlineData("cycle", "they follow each other in a circle")]
    [InlineData("no script_location", "has no script_location")]
    [InlineData("no versions folder", "versions")]
    [InlineData("not an ini", "MissingSectionHeaderError")]
    [InlineData("no id", "Could not determine revision id from filename r2000_step.py")]
    public async Task A_tree_that_does_not_load_says_what_is_wrong_with_it(string fault, string expected)
    {
        var tree = await TestTree.NewAsync(server);
        tree.AddTables(1);
        switch (fault)
        {
            case "syntax": File.WriteAllText(tree.PathOf("r2000"), "revision = 'r2000'\n\ndef upgrade(:\n"); break;
            case "import": tree.Add("r2000", "r1000", "pass", header: "import no_such_module"); break;
            case "duplicate": File.Copy(tree.PathOf("r1000"), Path.Combine(tree.Folder, "versions", "copy.py")); break;
            case "missing parent": tree.Add("r1000", "r0000", "pass"); break;
            case "cycle": tree.Add("r1000", "r2000", "pass").Add("r2000", "r1000", "pass"); break;
            case "no script_location": File.WriteAllText(Path.Combine(tree.Folder, "alembic.ini"), "[alembic]\n"); break;
            case "no versions folder": Directory.Delete(Path.Combine(tree.Folder, "versions"), recursive: true); break;
            case "not an ini": File.WriteAllText(Path.Combine(tree.Folder, "alembic.ini"), "hello\n"); break;
            default: File.WriteAllText(tree.PathOf("r2000"), "x = 1\n"); break;
        }

        var refusal = await Should.ThrowAsync<BadInputException>(() => tree.ReadAsync());

        refusal.Message.ShouldContain("does not load");
        refusal.Message.ShouldContain(expected);
    }

    [Fact]
    public async Task The_hash_names_the_content_and_nothing_else()
    {
        var (one, other) = (await TestTree.NewAsync(server), await TestTree.NewAsync(server, "elsewhere"));
        one.AddTables(2);
        other.AddTables(2);
        var hash = (await one.ReadAsync()).Hash;

        File.WriteAllText(other.PathOf("r1000"), File.ReadAllText(other.PathOf("r1000")).ReplaceLineEndings("\r\n"));
        Directory.CreateDirectory(Path.Combine(other.Folder, "jobs"));
        File.WriteAllText(Path.Combine(other.Folder, "jobs", "job.yaml"), "x");
        File.WriteAllText(Path.Combine(other.Folder, "compose.yaml"), "x");
        (await other.ReadAsync()).Hash.ShouldBe(hash);

        File.AppendAllText(Path.Combine(other.Folder, "env.py"), "# changed\n");
        (await other.ReadAsync()).Hash.ShouldNotBe(hash);
    }

    [Fact]
    public void The_configuration_is_found_in_the_folder_or_above_it()
    {
        var root = TestFolders.New("locate");
        Directory.CreateDirectory(Path.Combine(root, "db", "migrations"));
        Should.Throw<BadInputException>(() => AlembicProject.Locate(root)).Message.ShouldContain("--migrations-directory");
        Should.Throw<BadInputException>(() => AlembicProject.Locate(root, "db/migrations")).Message.ShouldContain("--alembic-config");

        File.WriteAllText(Path.Combine(root, "db", "alembic.ini"), "");
        AlembicProject.Locate(root, "db/migrations").ConfigFile.ShouldBe(Path.Combine(root, "db", "alembic.ini"));
        AlembicProject.Locate(root, alembicConfig: "db/alembic.ini").Folder.ShouldBe(Path.Combine(root, "db"));
    }

    private async Task<string?> DestroysAsync(string downgrade, string header)
    {
        var tree = await TestTree.NewAsync(server);
        tree.Add("r1000", null, "op.execute('SELECT 1')", downgrade, "import sqlalchemy as sa\n" + header);
        return (await tree.ReadAsync()).Find("r1000")!.DowngradeDestroys;
    }
}
