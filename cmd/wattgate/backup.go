package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func backupCommand(w world) *cobra.Command {
	return group("backup", "Copies of an installation", backupCreateCommand(w), backupVerifyCommand(w), backupRestoreCommand(w))
}

const keyIsAll = "Whoever has the database and wattgate.key can sign tokens; without the key every secret and signing key is dead."

func backupCreateCommand(w world) *cobra.Command {
	var format, to string
	var withoutKey bool
	cmd := &cobra.Command{
		Use: "create --to FOLDER", Short: "Copy an installation into a new folder, beside a running server too", Args: cobra.NoArgs,
		Long: "Copy an installation into a new folder, beside a running server too: the database as of one instant, the key file,\n" +
			"the environment and the newest checkpoint of the audit log. " + keyIsAll,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := missing(cmd); err != nil {
				return err
			}
			c, err := configuration(cmd, w)
			if err != nil {
				return err
			}
			v, err := app.CreateBackup(cmd.Context(), c, to, !withoutKey, w.now())
			if err != nil {
				return err
			}
			if withoutKey {
				_, _ = fmt.Fprintln(w.err, "This backup is without wattgate.key: keep that file elsewhere. Without it every secret and signing key is dead.") // nobody is left to tell
			} else {
				_, _ = fmt.Fprintln(w.err, "This backup holds wattgate.key: whoever has it can sign tokens. Keep it as you keep the data folder.") // nobody is left to tell
			}
			return print(w.out, format, v, backupTable(v))
		},
	}
	settingFlags(cmd, "data", "database")
	cmd.Flags().StringVar(&to, "to", "", "folder to make; it must not exist")
	cmd.Flags().BoolVar(&withoutKey, "without-key", false, "leave wattgate.key out, which is then kept elsewhere")
	need(cmd, "to")
	outputFlag(cmd, &format)
	return cmd
}

func backupVerifyCommand(w world) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "verify FOLDER", Short: "Check that a backup is whole and sound", Args: cobra.ExactArgs(1),
		Long: "Check that a backup is whole and sound: each file against the manifest, the structure of the database, and every\n" +
			"packed day in it against its own checksum.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := app.VerifyBackup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return print(w.out, format, v, backupTable(v))
		},
	}
	outputFlag(cmd, &format)
	return cmd
}

func backupRestoreCommand(w world) *cobra.Command {
	var format, key string
	cmd := &cobra.Command{
		Use: "restore FOLDER --data NEW", Short: "Make a new data folder of a backup", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configuration(cmd, w)
			if err != nil {
				return err
			}
			v, err := app.RestoreBackup(cmd.Context(), args[0], c.Data, key)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(w.err, "Restored. Start it with: wattgate serve --data %s\n", c.Data) // nobody is left to tell
			return print(w.out, format, v, backupTable(v))
		},
	}
	settingFlags(cmd, "data")
	cmd.Flags().StringVar(&key, "key", "", "the key file, for a backup that was made without it")
	outputFlag(cmd, &format)
	return cmd
}

func backupTable(v app.BackupView) table {
	t := table{columns: []string{"file", "bytes", "sha256"}}
	for _, f := range v.Files {
		t.rows = append(t.rows, []string{f.Name, fmt.Sprint(f.Bytes), f.SHA256})
	}
	return t
}
