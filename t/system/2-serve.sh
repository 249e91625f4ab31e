title "a campaign over TLS"
step "curl -sS --cacert /etc/kaireon/certificate.pem $site/readyz"
step "kaireonctl demo customers --count 2000 >/tmp/customers.csv && kaireonctl import --tenant acme --schema customers --id-column customer_id /tmp/customers.csv"
step "api -H 'Content-Type: application/yaml' --data-binary @bundle.yaml '$site/api/v1/gitops/apply?dryRun=false' | jq -c .summary"
segment=$(kaireonctl --json segment create --tenant acme --name all --schema customers | jq -r .id)
flow=$(api "$site/api/v1/gitops/export?format=json&kinds=DecisionFlow" | jq -r '.resources[0].metadata.annotations["kaireonai.com/id"]')
campaign=$(api -H 'Content-Type: application/json' -d "{\"name\": \"first\", \"decisionFlowId\": \"$flow\", \"segmentId\": \"$segment\"}" $site/api/v1/runs | jq -r .id)
run=$(api -X POST "$site/api/v1/runs/$campaign/campaign-runs" | jq -r .id)
check "the run is completed" 'until_true 60 "api $site/api/v1/runs/$campaign/campaign-runs/$run | jq -e \".status == \\\"completed\\\"\""'
step "api $site/api/v1/runs/$campaign/campaign-runs/$run | jq -c '{status, customers: .summary.customersProcessed, decisions: .summary.decisions}'"
step "api -o /tmp/decisions.csv $site/api/v1/runs/$campaign/campaign-runs/$run/file && wc -l /tmp/decisions.csv"
check "the file is as long as the run says" '[ "$(stat -c %s /tmp/decisions.csv)" = "$(api $site/api/v1/runs/$campaign/campaign-runs/$run | jq .summary.file.bytes)" ]'
step "echo | openssl s_client -connect offers.test:443 -CAfile /etc/kaireon/certificate.pem 2>&1 | grep -E '^(New|Verif)'"
step "tail -n 1 /var/log/nginx/kaireon-access.log"
check "an access line is JSON with the request's id" 'tail -n 1 /var/log/nginx/kaireon-access.log | jq -e .requestId'
