package serve

import (
	"syscall"

	"imip-agent/cmd/internal/site"
)

// otherFiles is how many files the service has open beside connections: messages that are handled together, and their users'
// records.
const otherFiles = 600

// connections returns how many connections mail systems may have by a protocol: SERVE_CONNECTIONS, or as many as leave files for
// what is handled.
func connections(s *site.Site) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return s.Config.Connections
	}
	files := int(min(limit.Cur, 1<<30))
	most := max((files-otherFiles)/2, files/4) // there are two of them
	if n := s.Config.Connections; n > 0 && n <= most {
		return n
	}
	s.Log.Warn("the limit of open files allows fewer connections than SERVE_CONNECTIONS: raise it (LimitNOFILE)", "files", files, "connections", most)
	return most
}
