module template_go

go 1.19
