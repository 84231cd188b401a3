package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// postgresServer is a PostgreSQL cluster of the scenario's own.
type postgresServer struct {
	addr string
	bin  string // folder of its programs
	dir  string
	data string
	cmd  *exec.Cmd
	done chan struct{}
}

// openDatabase makes the database that the scenario needs or the command line asks for.
func (w *world) openDatabase(ctx context.Context) (err error) {
	wanted := w.options.db
	if wanted == "" {
		wanted = w.scenario.database
	}
	if w.scenario.control != "" && wanted != "" && wanted != w.scenario.control {
		return skip("it is about %s only", w.scenario.control)
	}
	if w.scenario.control != "" {
		wanted = w.scenario.control
	}
	if wanted != "postgres" {
		w.set("DATABASE__URL", "sqlite:"+w.path("onmyway.db"))
		return nil
	}
	if w.postgres, err = startPostgres(ctx, w.path("postgres")); err != nil {
		return err
	}
	addr := w.postgres.addr
	if w.scenario.knobs.cutSQL {
		if w.cutSQL, err = openProxy(addr); err != nil {
			return err
		}
		addr = w.cutSQL.addr
	}
	url := "postgres://postgres@" + addr + "/postgres?sslmode=disable"
	if w.scenario.knobs.plainSQL {
		url += "&default_query_exec_mode=describe_exec"
	}
	w.set("DATABASE__URL", url)
	return nil
}

func (w *world) databaseName() string {
	if w.postgres != nil {
		return "postgres"
	}
	return "sqlite"
}

func postgresBin() string {
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/opt/homebrew/opt/postgresql*/bin/initdb", "/usr/local/opt/postgresql*/bin/initdb"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return filepath.Dir(found[len(found)-1])
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

func startPostgres(ctx context.Context, dir string) (*postgresServer, error) {
	p := &postgresServer{addr: address(), bin: postgresBin(), dir: dir, data: filepath.Join(dir, "data")}
	if p.bin == "" {
		return nil, skip("PostgreSQL is not installed")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	if as := postgresUser(); as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, fmt.Errorf("give PostgreSQL its folder: %w", err)
		}
	}
	initdb := p.command(ctx, "initdb", "-D", p.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make a PostgreSQL cluster: %w\n%s", err, out)
	}
	return p, p.start(ctx)
}

// postgresUser is whom PostgreSQL runs as: it refuses to run as root.
func postgresUser() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (p *postgresServer) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: postgresUser()}
	return cmd
}

// start starts the server on its port and waits until it answers. Nothing is synced to the disk: the harness kills
// processes, and what the kernel has survives that.
func (p *postgresServer) start(ctx context.Context) (err error) {
	_, port, _ := net.SplitHostPort(p.addr)
	p.cmd = p.command(context.WithoutCancel(ctx), "postgres", "-D", p.data, "-p", port, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200",
		"-c", "shared_buffers=64MB")
	if p.done, err = startProcess("PostgreSQL", p.cmd, filepath.Join(filepath.Dir(p.dir), "postgres.log")); err != nil {
		return err
	}
	return until(ctx, 60*time.Second, func() error {
		ready := p.command(ctx, "pg_isready", "-q", "-h", "127.0.0.1", "-p", port, "-U", "postgres")
		if err := ready.Run(); err != nil {
			return fmt.Errorf("PostgreSQL is not ready: %w", err)
		}
		return nil
	})
}

// stop ends the server: at once, as a crash of it would, or after its last checkpoint.
func (p *postgresServer) stop(crash bool) {
	s := syscall.SIGINT // TERM would wait for its clients
	if crash {
		s = syscall.SIGQUIT
	}
	_ = p.cmd.Process.Signal(s)
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

func (p *postgresServer) close() {
	if p != nil && p.done != nil {
		p.stop(true)
	}
}
