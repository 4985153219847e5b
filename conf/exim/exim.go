// Package exim has the examples for Exim that work as they stand.
package exim

import _ "embed"

var (
	//go:embed macros
	Macros string // names, for the main section; the part to be edited

	//go:embed routers
	Routers string // before all other routers

	//go:embed transports
	Transports string

	//go:embed retry
	Retry string // before all other rules

	//go:embed incoming-macros
	IncomingMacros string // names for mail that arrives, below the macros

	//go:embed incoming-router
	IncomingRouter string // directly above the router for mailboxes

	//go:embed incoming-transport
	IncomingTransport string

	//go:embed resource-macros
	ResourceMacros string // names for rooms and equipment, below the macros

	//go:embed resource-router
	ResourceRouter string // above the routers that deliver to mailboxes, below ours for outgoing mail

	//go:embed resource-transport
	ResourceTransport string

	//go:embed service-transports
	ServiceTransports string // in the place of the others of the same names, by the service
)
