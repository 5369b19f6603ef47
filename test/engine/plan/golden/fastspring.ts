// What rules/fastspring.yaml makes of each sample: a line for the verdict, then one for each step or problem.
// A batch has the lines of its events behind each other. Data only.

export const FASTSPRING: Readonly<Record<string, readonly string[]>> = {
  'subscription.updated': ['unmatched, reject'],
  'chargeback.created': ['unmatched, reject'],
  'return.created-partial': ['unmatched, reject'],
  'subscription.uncanceled': ['unmatched, reject'],
  'batch-order-and-activation': [
    'unmatched, reject',
    'matched order-completed',
    'user.insert as user: email=j.mueller@example.net firstName=Jürgen lastName=Müller company=Müller & Söhne GmbH',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=134c53aa-671f-4a57-93c9-b39d42eaa641 subscriptionInterval=P1Y userId=$user.id quantity=1 metadata.fastspring_subscription_id=yNOG6pIaaQBbfWDoeak3vg | once XqsDRLBwAocLlPIm3cZMZg northlight-pro-yearly#1',
    'unmatched, reject',
  ],
  'batch-two-orders': [
    'matched order-completed',
    'user.insert as user: email=leila.haddad@example.org firstName=ليلى lastName=حداد',
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 userId=$user.id quantity=1 metadata.fastspring_order_id=tODFGq-j6FsU3E9v826i2A | once tODFGq-j6FsU3E9v826i2A northlight-studio#1',
    'failed order-completed',
    'RULE_REJECTED order-completed/unlicensed-item, item northlight-studio-classroom: It has no cryptlex_product_id, neither as an attribute nor in the catalog.',
  ],
  'order.completed-addon-later': [
    'matched order-completed',
    'user.insert as user: email=taro.yamada@example.org firstName=太郎 lastName=山田 company=合同会社ひかり工房',
    'license.get as parent: find.metadata.fastspring_subscription_id=DTQVErcdZx1FvGSxKpX0ZA',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=1 subscriptionInterval=$parent.subscriptionInterval subscriptionStartTrigger=$parent.subscriptionStartTrigger metadata.fastspring_subscription_id=DTQVErcdZx1FvGSxKpX0ZA metadata.fastspring_driver=addon_northlight-pro-monthly | once K5kFiU0uN12enz3ks9saKw lens-pack-monthly#1',
  ],
  'order.completed-addon': [
    'matched order-completed',
    'user.insert as user: email=jose.munoz@example.org firstName=José lastName=Muñoz García company=Estudio Muñoz S.L.',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 subscriptionInterval=P1M userId=$user.id quantity=1 metadata.fastspring_subscription_id=rAN2znoBQDSoxhCSM3xfEg | once sjg4OTElJv--Bh_HjA8XsA northlight-pro-monthly#1',
    'licenseTemplate.get as template: id=04ba627c-d8f2-4100-94e9-513cab4c05c3',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=1 subscriptionInterval=P1M subscriptionStartTrigger=$template.subscriptionStartTrigger metadata.fastspring_subscription_id=rAN2znoBQDSoxhCSM3xfEg metadata.fastspring_driver=addon_northlight-pro-monthly | once sjg4OTElJv--Bh_HjA8XsA lens-pack-monthly#1',
  ],
  'order.completed-bundle': [
    'matched order-completed',
    "user.insert as user: email=siobhan.oconnor+northlight@example.com firstName=Siobhán lastName=O'Connor",
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 userId=$user.id quantity=1 subscriptionInterval= metadata.fastspring_order_id=MO0UalFwoKc6hOE0ps9wgg metadata.fastspring_driver=bundle_maker-bundle | once MO0UalFwoKc6hOE0ps9wgg northlight-studio#1',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=1 subscriptionInterval= metadata.fastspring_order_id=MO0UalFwoKc6hOE0ps9wgg metadata.fastspring_driver=bundle_maker-bundle | once MO0UalFwoKc6hOE0ps9wgg lens-pack#1',
  ],
  'order.completed-cross-sell': [
    'matched order-completed',
    'user.insert as user: email=leila.haddad@example.org firstName=ليلى lastName=حداد',
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 userId=$user.id quantity=1 metadata.fastspring_order_id=kTBcXon0yvW7WBSc5D3ftw | once kTBcXon0yvW7WBSc5D3ftw northlight-studio#1',
    'license.create: productId=5860e441-bbf9-4a92-9f57-078f92acbf2b licenseTemplateId=454793bb-ca3a-44bf-bf06-62176cd10a5d userId=$user.id quantity=1 metadata.fastspring_order_id=kTBcXon0yvW7WBSc5D3ftw | once kTBcXon0yvW7WBSc5D3ftw lens-pack#1',
  ],
  'order.completed-legacy-interval': [
    'matched order-completed',
    'user.insert as user: email=ingrid.ostergard@example.net firstName=Ingrid lastName=Østergård',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 subscriptionInterval=P1M userId=$user.id quantity=1 metadata.fastspring_subscription_id=gnd-gz-V-0IrIBeKF5tCDA | once kIMpGiOBznkhfSa8X0mJ-w northlight-pro-monthly#1',
  ],
  'order.completed-mixed-cart': [
    'failed order-completed',
    'RULE_REJECTED order-completed/unlicensed-item, item northlight-tshirt: It has no cryptlex_product_id, neither as an attribute nor in the catalog.',
  ],
  'order.completed-no-expansion': [
    'failed order-completed',
    'RULE_REJECTED order-completed/no-attributes-sent, item northlight-pro-monthly: It came without attributes. Switch on "webhook expansion" in FastSpring.',
  ],
  'order.completed-one-time': [
    'matched order-completed',
    'user.insert as user: email=Sofia.Rossi@Example.COM firstName=Sofia lastName=Rossi',
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 userId=$user.id quantity=1 metadata.fastspring_order_id=mHCadYi1GX9vlyR1ABdxzA | once mHCadYi1GX9vlyR1ABdxzA northlight-studio#1',
  ],
  'order.completed-pending': [
    'ignored order-not-completed: The order is not completed yet, or has no items.',
  ],
  'order.completed-quantity-zero': [
    'failed order-completed',
    'QUANTITY_INVALID order-completed/one-time, item northlight-studio: license.create.quantity needs a whole number from 1 to 10000, not 0',
  ],
  'order.completed-quantity': [
    'matched order-completed',
    'user.insert as user: email=amara@example.org firstName=Amara lastName=Okafor company=Okafor Imaging Ltd',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=134c53aa-671f-4a57-93c9-b39d42eaa641 subscriptionInterval=P1Y userId=$user.id quantity=3 metadata.fastspring_subscription_id=SS34qIlLsBW9_NChmktTRQ | once bvY1wPgFiFdMSEFocu9l3A northlight-pro-yearly#1',
  ],
  'order.completed-seats': [
    'matched order-completed',
    'user.insert as user: email=j.mueller@example.net firstName=Jürgen lastName=Müller company=Müller & Söhne GmbH',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=134c53aa-671f-4a57-93c9-b39d42eaa641 subscriptionInterval=P1Y userId=$user.id quantity=1 allowedActivations=5 metadata.fastspring_subscription_id=CQNxBKcIHrLFDJsZDW_1LA | once 5COxuLAIFnKYRtvnue4XNg northlight-pro-yearly#1',
  ],
  'order.completed-total-licenses': [
    'matched order-completed',
    'user.insert as user: email=emre.yildiz@example.net firstName=Emre lastName=Yıldız',
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 userId=$user.id quantity=2 metadata.fastspring_order_id=TQj8BKDiRhJj9GDW4nsljQ | once TQj8BKDiRhJj9GDW4nsljQ northlight-studio#1',
  ],
  'order.completed-two-of-one-product': [
    'matched order-completed',
    'user.insert as user: email=amara@example.org firstName=Amara lastName=Okafor company=Okafor Imaging Ltd',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 subscriptionInterval=P1M userId=$user.id quantity=1 metadata.fastspring_subscription_id=ta4xnZVGaP2ZJ-UdFZL0Hg | once 4qG7JdABw08aRiu8Apcpbw northlight-pro-monthly#1',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 subscriptionInterval=P1M userId=$user.id quantity=1 metadata.fastspring_subscription_id=DxIqm5Oy11iB1wTIGKCV6w | once 4qG7JdABw08aRiu8Apcpbw northlight-pro-monthly#2',
  ],
  'order.completed-unlicensed-only': [
    'failed order-completed',
    'RULE_REJECTED order-completed/unlicensed-item, item northlight-tshirt: It has no cryptlex_product_id, neither as an attribute nor in the catalog.',
  ],
  'order.completed-version': [
    'matched order-completed',
    "user.insert as user: email=siobhan.oconnor+northlight@example.com firstName=Siobhán lastName=O'Connor",
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 maxAllowedReleaseVersion=4.9.9 userId=$user.id quantity=1 metadata.fastspring_order_id=YqCCOQPWZLGNy40T74ug4A | once YqCCOQPWZLGNy40T74ug4A northlight-studio#1',
  ],
  'order.completed': [
    'matched order-completed',
    'user.insert as user: email=taro.yamada@example.org firstName=太郎 lastName=山田 company=合同会社ひかり工房',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 subscriptionInterval=P1M userId=$user.id quantity=1 metadata.fastspring_subscription_id=DTQVErcdZx1FvGSxKpX0ZA | once u7VXuoC4e5SwosR_k7YHqg northlight-pro-monthly#1',
  ],
  'return.created': ['unmatched, reject'],
  'subscription.activated': ['unmatched, reject'],
  'subscription.canceled': ['unmatched, reject'],
  'subscription.charge.completed-failed-status': [
    'ignored charge-not-successful: The charge was not successful.',
  ],
  'subscription.charge.completed-no-expansion': [
    'matched charge-completed',
    'license.renew: find.metadata.fastspring_subscription_id=DTQVErcdZx1FvGSxKpX0ZA whenSuspended.resume=true | once LFq1SJtiI60eInanunntOA #1',
  ],
  'subscription.charge.completed': [
    'matched charge-completed',
    'license.renew: find.metadata.fastspring_subscription_id=DTQVErcdZx1FvGSxKpX0ZA whenSuspended.resume=true | once oL7EYnASlv2qER24WEp1ew #1',
  ],
  'subscription.deactivated': [
    'matched deactivated',
    'license.delete: find.metadata.fastspring_subscription_id=DTQVErcdZx1FvGSxKpX0ZA',
  ],
  'subscription.payment.overdue-active': [
    'ignored payment-not-overdue: The subscription is not overdue any more.',
  ],
  'subscription.payment.overdue': [
    'matched payment-overdue',
    'license.suspend: find.metadata.fastspring_subscription_id=DTQVErcdZx1FvGSxKpX0ZA',
  ],
};
