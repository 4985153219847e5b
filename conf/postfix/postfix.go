// Package postfix has the examples for Postfix that work as they stand.
package postfix

import _ "embed"

var (
	//go:embed main.cf
	Main string // settings for the end of main.cf

	//go:embed master.cf
	Master string // services for the end of master.cf

	//go:embed incoming-main.cf
	IncomingMain string // settings for mail that arrives

	//go:embed incoming-master.cf
	IncomingMaster string // the service for mail that arrives

	//go:embed resource-main.cf
	ResourceMain string // settings for rooms and equipment

	//go:embed resource-master.cf
	ResourceMaster string // the service for them
)
