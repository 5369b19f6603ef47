// What rules/paddle.yaml makes of each sample: a line for the verdict, then one for each step or problem.
// A batch has the lines of its events behind each other. Data only.

export const PADDLE: Readonly<Record<string, readonly string[]>> = {
  'subscription.updated': ['unmatched, reject'],
  'adjustment.created-chargeback': ['unmatched, reject'],
  'adjustment.created-chargeback-reverse': ['unmatched, reject'],
  'adjustment.created-chargeback-warning': ['unmatched, reject'],
  'adjustment.updated': ['unmatched, reject'],
  'adjustment.updated-partial': ['unmatched, reject'],
  'adjustment.updated-rejected': ['unmatched, reject'],
  'adjustment.updated-reversed': ['unmatched, reject'],
  'adjustment.created': ['unmatched, reject'],
  'customer.created-no-name': [
    'matched customer',
    'user.upsert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2gypf2jygqvqxeqcc3 email=build+ci@example.net metadata.paddle_customer_id=ctm_01m68t8b2gypf2jygqvqxeqcc3 emailTaken=merge',
  ],
  'customer.created': [
    'matched customer',
    'user.upsert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2gfnk7dvqewc6ek5b6 email=ingrid.ostergard@example.net firstName=Ingrid lastName=Østergård metadata.paddle_customer_id=ctm_01m68t8b2gfnk7dvqewc6ek5b6 emailTaken=merge',
  ],
  'customer.updated': [
    'matched customer',
    'user.upsert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2gfnk7dvqewc6ek5b6 email=ingrid.holm@example.net firstName=Ingrid lastName=Østergård Holm metadata.paddle_customer_id=ctm_01m68t8b2gfnk7dvqewc6ek5b6 emailTaken=merge',
  ],
  'subscription.canceled': ['unmatched, reject'],
  'subscription.past_due': ['unmatched, reject'],
  'subscription.paused': [
    'matched paused',
    'license.suspend: find.metadata.paddle_subscription_id=sub_01m68tb2z0hh8fc72fmn3nh7pg',
  ],
  'subscription.resumed': ['unmatched, reject'],
  'transaction.completed-api': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2gwjp8m28gy4fw5z70 email=ctm_01m68t8b2gwjp8m28gy4fw5z70@cryptlexpaddle.com firstName=ctm_01m68t8b2gwjp8m28gy4fw5z70 metadata.paddle_customer_id=ctm_01m68t8b2gwjp8m28gy4fw5z70',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=134c53aa-671f-4a57-93c9-b39d42eaa641 userId=$user.id quantity=2 subscriptionInterval=P1Y metadata.paddle_subscription_id=sub_01m6znywpgmee7phjzmqdv6z3h | once txn_01m6znvyyg7ew05f4p78jc5kr2 pri_01kghfazm0wy6cw14rnaq1md8e#1',
  ],
  'transaction.completed-subscription-charge': [
    'ignored other-transaction: A transaction of this origin changes no license.',
  ],
  'transaction.completed-subscription-payment-method-change': [
    'ignored other-transaction: A transaction of this origin changes no license.',
  ],
  'transaction.completed-subscription-recurring-resumed': [
    'matched renewal',
    'license.renew: find.metadata.paddle_subscription_id=sub_01m68tb2z0hh8fc72fmn3nh7pg whenSuspended.resume=true whenSuspended.expiresAt=2027-02-11T16:02:09.000Z | once txn_01mc2qrjz8rqyjg6vnewpyv99y #1',
  ],
  'transaction.completed-subscription-recurring': [
    'matched renewal',
    'license.renew: find.metadata.paddle_subscription_id=sub_01m68tb2z0hh8fc72fmn3nh7pg whenSuspended.resume=true whenSuspended.expiresAt=2026-12-30T11:08:27.000Z | once txn_01m8p28kzrhk89118q8fbn0tsj #1',
  ],
  'transaction.completed-subscription-update': [
    'matched change-of-plan',
    'license.resume: find.metadata.paddle_subscription_id=sub_01m68tb2z0hh8fc72fmn3nh7pg find.suspended=true expiresAt=2028-01-19T10:14:30.000Z missing=ignore',
  ],
  'transaction.completed-unknown-origin': [
    'ignored other-transaction: A transaction of this origin changes no license.',
  ],
  'transaction.completed-web-mixed': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2g6f2hsnwjqe80578v email=ctm_01m68t8b2g6f2hsnwjqe80578v@cryptlexpaddle.com firstName=ctm_01m68t8b2g6f2hsnwjqe80578v metadata.paddle_customer_id=ctm_01m68t8b2g6f2hsnwjqe80578v',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 userId=$user.id quantity=1 subscriptionInterval=P1M metadata.paddle_subscription_id=sub_01m6eqzn9rv2rwajxxcxd4fnv1 | once txn_01m6eqwqhra6arjfqtf03pycjn pri_01kghfazm0wy1pcwcbtjj5ztpm#1',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=1 subscriptionInterval= metadata.paddle_transaction_id=txn_01m6eqwqhra6arjfqtf03pycjn | once txn_01m6eqwqhra6arjfqtf03pycjn pri_01kghfazm0w4yk9vwscksdmr8p#1',
  ],
  'transaction.completed-web-no-custom-data': [
    'failed purchase',
    'RULE_REJECTED purchase/unlicensed-line, item pri_01kghfazm0yfv6qt8hkyc490k9: It has no cryptlex_product_id, neither in custom data nor in the catalog.',
  ],
  'transaction.completed-web-no-subscription': [
    'failed purchase',
    'FIELD_MISSING purchase/recurring, item pri_01kghfazm0wy1pcwcbtjj5ztpm: license.create.metadata.paddle_subscription_id came out missing: data.subscription_id is missing (data has id, items, origin, status, details, checkout, payments, billed_at, …)',
  ],
  'transaction.completed-web-one-time': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2gypf2jygqvqxeqcc3 email=ctm_01m68t8b2gypf2jygqvqxeqcc3@cryptlexpaddle.com firstName=ctm_01m68t8b2gypf2jygqvqxeqcc3 metadata.paddle_customer_id=ctm_01m68t8b2gypf2jygqvqxeqcc3',
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 userId=$user.id quantity=1 subscriptionInterval= metadata.paddle_transaction_id=txn_01m6c5g0hrxxa8qs029heccbez | once txn_01m6c5g0hrxxa8qs029heccbez pri_01kghfazm0j0dg17shza02b1xs#1',
  ],
  'transaction.completed-web-price-custom-data': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2ghf6xcb8egdnfs79f email=ctm_01m68t8b2ghf6xcb8egdnfs79f@cryptlexpaddle.com firstName=ctm_01m68t8b2ghf6xcb8egdnfs79f metadata.paddle_customer_id=ctm_01m68t8b2ghf6xcb8egdnfs79f',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 userId=$user.id quantity=1 subscriptionInterval=P3M metadata.paddle_subscription_id=sub_01m6pf5t9rskg81mgecqzza2rv | once txn_01m6pf2whr7ar41zhnnes2v8a1 pri_01kghfazm0582tqda0jy92rwnn#1',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=1 subscriptionInterval= metadata.paddle_transaction_id=txn_01m6pf2whr7ar41zhnnes2v8a1 | once txn_01m6pf2whr7ar41zhnnes2v8a1 pri_01kghfazm0dm371bhhzc9tatcy#1',
  ],
  'transaction.completed-web-quantity': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2g36vwqdyycettvyfs email=ctm_01m68t8b2g36vwqdyycettvyfs@cryptlexpaddle.com firstName=ctm_01m68t8b2g36vwqdyycettvyfs metadata.paddle_customer_id=ctm_01m68t8b2g36vwqdyycettvyfs',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=134c53aa-671f-4a57-93c9-b39d42eaa641 userId=$user.id quantity=3 subscriptionInterval=P1Y metadata.paddle_subscription_id=sub_01m6kws39r6xcjb4ndekj219he | once txn_01m6kwp5hr7zgyfndrkb90kjd4 pri_01kghfazm0wy6cw14rnaq1md8e#1',
  ],
  'transaction.completed-web-shuffled': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2g0yx7vq5jq9vw68kr email=ctm_01m68t8b2g0yx7vq5jq9vw68kr@cryptlexpaddle.com firstName=ctm_01m68t8b2g0yx7vq5jq9vw68kr metadata.paddle_customer_id=ctm_01m68t8b2g0yx7vq5jq9vw68kr',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=3 subscriptionInterval= metadata.paddle_transaction_id=txn_01m6y691hrcak56rv71kcxs1tm | once txn_01m6y691hrcak56rv71kcxs1tm pri_01kghfazm0w4yk9vwscksdmr8p#1',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 userId=$user.id quantity=2 subscriptionInterval=P1M metadata.paddle_subscription_id=sub_01m6y6bz9r0tnkbtbeg9qp5wwh | once txn_01m6y691hrcak56rv71kcxs1tm pri_01kghfazm0wy1pcwcbtjj5ztpm#1',
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 userId=$user.id quantity=1 subscriptionInterval= metadata.paddle_transaction_id=txn_01m6y691hrcak56rv71kcxs1tm | once txn_01m6y691hrcak56rv71kcxs1tm pri_01kghfazm0j0dg17shza02b1xs#1',
  ],
  'transaction.completed-web-two-intervals': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2gep8bedcqvgy0w0r4 email=ctm_01m68t8b2gep8bedcqvgy0w0r4@cryptlexpaddle.com firstName=ctm_01m68t8b2gep8bedcqvgy0w0r4 metadata.paddle_customer_id=ctm_01m68t8b2gep8bedcqvgy0w0r4',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=1 subscriptionInterval=P1M metadata.paddle_subscription_id=sub_01m6hacc9r7w60xw0hx24me0yw | once txn_01m6ha9ehrb99whkwdnpmx2jak pri_01kghfazm0mvqejzt0acsnqkxj#1',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=134c53aa-671f-4a57-93c9-b39d42eaa641 userId=$user.id quantity=1 subscriptionInterval=P1Y metadata.paddle_subscription_id=sub_01m6hacc9r7w60xw0hx24me0yw | once txn_01m6ha9ehrb99whkwdnpmx2jak pri_01kghfazm0wy6cw14rnaq1md8e#1',
  ],
  'transaction.completed-web': [
    'matched purchase',
    'user.insert as user: find.metadata.paddle_customer_id=ctm_01m68t8b2gfnk7dvqewc6ek5b6 email=ctm_01m68t8b2gfnk7dvqewc6ek5b6@cryptlexpaddle.com firstName=ctm_01m68t8b2gfnk7dvqewc6ek5b6 metadata.paddle_customer_id=ctm_01m68t8b2gfnk7dvqewc6ek5b6',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 userId=$user.id quantity=1 subscriptionInterval=P1M metadata.paddle_subscription_id=sub_01m68tb2z0hh8fc72fmn3nh7pg | once txn_01m68t85706fca50kp39j7q8sb pri_01kghfazm0wy1pcwcbtjj5ztpm#1',
  ],
  'transaction.paid': ['unmatched, reject'],
};
